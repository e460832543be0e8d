# The benchmark's figures: medians, ratios, goals, and as tables
#
# Copyright 2026 the Tapster authors
#
# This library is free software; you can redistribute it and/or
# modify it under the terms of the GNU Lesser General Public
# License as published by the Free Software Foundation; either
# version 2.1 of the License, or (at your option) any later version.
#
# This library is distributed in the hope that it will be useful,
# but WITHOUT ANY WARRANTY; without even the implied warranty of
# MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the GNU
# Lesser General Public License for more details.
#
# You should have received a copy of the GNU Lesser General Public
# License along with this library; if not, write to the Free Software
# Foundation, Inc., 51 Franklin St, Fifth Floor, Boston, MA 02110-1301, USA

from statistics import median

# What a case is to reach, by its kind or its name: the ratio, its bound, how it is said.
# "cost" is Tapster's cost relative to native, "gain" how many times faster than stock Wine.
GOALS = {
    'data': ('cost', 1.5, 'cost ≤ 1.5'),
    'ready': ('cost', 1.5, 'cost ≤ 1.5'),
    'connect_accept': ('gain', 2, 'gain ≥ 2'),
}

# What must be known to read a case's figures rightly.
REMARKS = {
    'getsockopt_error': 'SO_ERROR is not the same work: Tapster reads memory it shares with its helper, '
                        'native asks the kernel',
}

SIDES = (('native', 'native'), ('tapster', 'Tapster'), ('stock', 'stock Wine'))


class Figures:
    """What was measured for one case: nanoseconds per operation, by side and round."""

    def __init__(self, name, kind, description):
        self.name = name
        self.kind = kind
        self.description = description
        self.rounds = []     # a dictionary each: side to nanoseconds
        self.errors = {}     # side to message

    def cost(self, side):
        """The median time of one operation, in nanoseconds; None if there is none."""
        values = [r[side] for r in self.rounds if side in r]
        return median(values) if values and side not in self.errors else None

    def ratio(self, above, below):
        """The median of the rounds' ratios: what disturbs a whole round disturbs it little."""
        if above in self.errors or below in self.errors:
            return None
        values = [r[above] / r[below] for r in self.rounds if above in r and below in r]
        return median(values) if values else None

    def goal(self):
        """(how the goal is said, whether it is met), or None if there is none or nothing to judge by."""
        goal = GOALS.get(self.name) or GOALS.get(self.kind)
        if not goal or not (self.rounds or self.errors):
            return None
        which, bound, text = goal
        if which == 'cost':
            ratio = self.ratio('tapster', 'native')
            return text, ratio is not None and ratio <= bound
        ratio = self.ratio('stock', 'tapster')
        return text, ratio is not None and ratio >= bound

    def data(self):
        """All of it, for a JSON file."""
        return {'name': self.name, 'kind': self.kind, 'description': self.description, 'errors': self.errors,
                'rounds_ns_per_op': self.rounds,
                'median_ns_per_op': {side: self.cost(side) for side, _ in SIDES if self.cost(side)},
                'tapster_to_native': self.ratio('tapster', 'native'),
                'stock_to_native': self.ratio('stock', 'native'),
                'stock_to_tapster': self.ratio('stock', 'tapster')}


def time_text(ns):
    for unit, size in (('ns', 1), ('µs', 1e3)):
        if ns < 999.5 * size:
            return '%.3g %s' % (ns / size, unit)
    return '%.4g ms' % (ns / 1e6)


def ratio_text(ratio):
    if ratio >= 99.5:
        return '%.0f' % ratio
    return ('%.1f' if ratio >= 9.95 else '%.2f') % ratio


def columns(sides):
    """The table's columns after the case's name: (title, function of the figures that gives its text)."""
    def time_column(side):
        def text(figures):
            if side in figures.errors:
                return 'failed'
            cost = figures.cost(side)
            return time_text(cost) if cost else '-'
        return text

    def ratio_column(above, below):
        def text(figures):
            ratio = figures.ratio(above, below)
            return ratio_text(ratio) if ratio else '-'
        return text

    def goal_column(figures):
        goal = figures.goal()
        return '-' if not goal else '%s: %s' % (goal[0], 'met' if goal[1] else 'missed')

    names = dict(SIDES)
    result = [(names[side], time_column(side)) for side, _ in SIDES if side in sides]
    for above, below in (('tapster', 'native'), ('stock', 'native'), ('stock', 'tapster')):
        if above in sides and below in sides:
            result.append(('%s / %s' % (names[above], names[below]), ratio_column(above, below)))
    if 'tapster' in sides:
        result.append(('goal', goal_column))
    return result


def rows(results, sides):
    wanted = columns(sides)
    yield ['case'] + [title for title, _ in wanted]
    for figures in results:
        yield [figures.description] + [text(figures) for _, text in wanted]


def plain_table(results, sides):
    table = list(rows(results, sides))
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return '\n'.join('  '.join(cell.ljust(width) if i == 0 else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(row, widths))) for row in table)


def markdown_table(results, sides, notes):
    table = list(rows(results, sides))
    table.insert(1, ['---'] + ['---:'] * (len(table[0]) - 1))
    failures = ['%s: %s' % (figures.description, error.splitlines()[0])
                for figures in results for error in figures.errors.values()]
    return ''.join(['| %s |\n' % ' | '.join(row) for row in table] + ['\n'] +
                   ['- %s\n' % line for line in failures + notes])
