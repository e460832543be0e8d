# The benchmark's chart, an SVG file
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

import math
from html import escape

WIDTH = 820
LEFT = 210           # where the scale begins; the cases' names are left of it
RIGHT = 740          # where it ends; the longest bar's figure is right of it
TOP = 104            # where the first case begins
ROW = 42
BAR = 14
LOWEST = 0.8         # unless something costs less still

# The card has a ground of its own, so that it can be read on any page.
STYLE = '''
  svg { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; font-size: 13px }
  .card { fill: #ffffff; stroke: #d0d7de } .text { fill: #1f2328 } .faint { fill: #59636e; font-size: 12px }
  .title { font-size: 17px; font-weight: 600 } .line { stroke: #d8dee4 } .one { stroke: #59636e; stroke-width: 1.5 }
  .goal { stroke: #1a7f37; stroke-dasharray: 4 3 } .goaltext { fill: #1a7f37; font-size: 12px }
  .tapster { fill: #0969da } .stock { fill: #bc8c5a } .failed { fill: #cf222e; font-size: 12px }
  .figure { paint-order: stroke; stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round }
  @media (prefers-color-scheme: dark) {
    .card { fill: #0d1117; stroke: #3d444d } .text { fill: #f0f6fc } .faint { fill: #9198a1 }
    .line { stroke: #2a313a } .one { stroke: #9198a1 } .goal { stroke: #3fb950 } .goaltext { fill: #3fb950 }
    .tapster { fill: #4493f8 } .stock { fill: #c69a6d } .failed { fill: #f85149 }
    .figure { stroke: #0d1117 }
  }
'''


def number(value):
    return ('%.2f' % value).rstrip('0').rstrip('.')


def text(x, y, words, style, anchor='start'):
    return '<text x="%s" y="%s" class="%s" text-anchor="%s">%s</text>' % (
        number(x), number(y), style, anchor, escape(words))


def line(x1, y1, x2, y2, style):
    return '<line x1="%s" y1="%s" x2="%s" y2="%s" class="%s"/>' % (
        number(x1), number(y1), number(x2), number(y2), style)


class Scale:
    """Logarithmic, from a little under native's cost to beyond the dearest case."""

    def __init__(self, ratios):
        self.low = LOWEST
        while min(ratios, default=1) < self.low:
            self.low /= 1.25
        self.high = next(t for t in self.steps(1) if t >= max(ratios, default=1) * 1.05 and t >= 10)

    @staticmethod
    def steps(start):
        value = start
        while True:
            for step in (1, 2, 5):
                yield value * step
            value *= 10

    def ticks(self):
        for step in (0.1, 0.2, 0.5):
            if step >= self.low:
                yield step
        for step in self.steps(1):
            if step > self.high:
                return
            yield step

    def x(self, ratio):
        part = math.log(ratio / self.low) / math.log(self.high / self.low)
        return LEFT + part * (RIGHT - LEFT)


def bar(scale, y, ratio, style, label):
    """From 1, native's cost, to what this costs; what costs as much is a thin mark."""
    x1, x2 = sorted((scale.x(1), scale.x(ratio)))
    return ['<rect x="%s" y="%s" width="%s" height="%d" rx="2" class="%s"/>' % (
                number(x1), number(y), number(max(x2 - x1, 3)), BAR, style),
            text(max(x2, x1 + 3) + 6, y + BAR - 3, label, 'text figure')]


def draw(results, goal, ratio_text, notes):
    """results: (description, whether the goal is its, {side: ratio to native or None}) of each case;
    goal: the ratio to draw a line at, or None; notes: lines to write below."""
    sides = [side for side in ('tapster', 'stock') if any(side in ratios for _, _, ratios in results)]
    names = {'tapster': 'Tapster', 'stock': 'stock Wine'}
    scale = Scale([ratio for _, _, ratios in results for ratio in ratios.values() if ratio])
    bottom = TOP + ROW * len(results)
    height = bottom + 30 + 17 * len(notes) + 12

    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">'
           % (WIDTH, height, WIDTH, height),
           '<title>Cost of socket operations relative to native Linux</title>',
           '<style>%s</style>' % STYLE,
           '<rect x="0.5" y="0.5" width="%d" height="%d" rx="8" class="card"/>' % (WIDTH - 1, height - 1),
           text(20, 32, 'Cost of socket operations relative to native Linux', 'text title'),
           text(20, 52, 'time of one operation, native = 1; logarithmic; shorter is better', 'faint')]

    x = WIDTH - 20 - 105 * len(sides)
    for side in sides:
        out += ['<rect x="%d" y="21" width="14" height="14" rx="2" class="%s"/>' % (x, side),
                text(x + 20, 32, names[side], 'text')]
        x += 105

    for tick in scale.ticks():
        out += [line(scale.x(tick), TOP - 8, scale.x(tick), bottom, 'one' if tick == 1 else 'line'),
                text(scale.x(tick), bottom + 17, number(tick) + '×', 'faint', 'middle')]

    if goal:
        last = max([i for i, (_, has_goal, _) in enumerate(results) if has_goal], default=None)
        if last is not None:
            out += [line(scale.x(goal), TOP - 8, scale.x(goal), TOP + ROW * (last + 1) - 4, 'goal'),
                    text(scale.x(goal), TOP - 13, 'goal: at most %s×' % number(goal), 'goaltext', 'middle')]

    for i, (description, _, ratios) in enumerate(results):
        y = TOP + ROW * i + (ROW - len(sides) * (BAR + 2)) / 2
        out.append(text(LEFT - 16, TOP + ROW * i + ROW / 2 + 4, description, 'text', 'end'))
        for side in sides:
            if ratios.get(side):
                out += bar(scale, y, ratios[side], side, ratio_text(ratios[side]) + '×')
            else:
                out.append(text(scale.x(1) + 6, y + BAR - 3, names[side] + ': not measured', 'failed figure'))
            y += BAR + 2

    for i, note in enumerate(notes):
        out.append(text(20, bottom + 42 + 17 * i, note, 'faint'))
    return '\n'.join(out + ['</svg>']) + '\n'
