/*
 * What crosses the border for names: resolution, protocols, services (part of unixlib.h)
 *
 * Copyright 2026 the Tapster authors
 *
 * This library is free software; you can redistribute it and/or
 * modify it under the terms of the GNU Lesser General Public
 * License as published by the Free Software Foundation; either
 * version 2.1 of the License, or (at your option) any later version.
 *
 * This library is distributed in the hope that it will be useful,
 * but WITHOUT ANY WARRANTY; without even the implied warranty of
 * MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the GNU
 * Lesser General Public License for more details.
 *
 * You should have received a copy of the GNU Lesser General Public
 * License along with this library; if not, write to the Free Software
 * Foundation, Inc., 51 Franklin St, Fifth Floor, Boston, MA 02110-1301, USA
 */

/* Included by unixlib.h alone. */

#ifndef __TAPSTER_UNIXLIB_NAMES_H
#define __TAPSTER_UNIXLIB_NAMES_H

/* the entries of enum unix_funcs; the same order as in ws2unix's table */
#define UNIX_NAMES_FUNCS \
    unix_gethostname,

struct gethostname_params
{
    char        *name;
    unsigned int size;
};

#endif /* __TAPSTER_UNIXLIB_NAMES_H */
