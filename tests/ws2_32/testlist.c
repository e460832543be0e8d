/*
 * The list of the tests, and the framework's main function
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

#include <windows.h>

#define STANDALONE
#include "wine/test.h"

extern void func_accept(void);
extern void func_address(void);
extern void func_badsock(void);
extern void func_catalog(void);
extern void func_connect(void);
extern void func_data(void);
extern void func_death(void);
extern void func_exports(void);
extern void func_ioctl(void);
extern void func_linger(void);
extern void func_local(void);
extern void func_msg(void);
extern void func_names(void);
extern void func_option(void);
extern void func_overlapped(void);
extern void func_ports(void);
extern void func_process(void);
extern void func_reset(void);
extern void func_select(void);
extern void func_sharing(void);
extern void func_shutdown(void);
extern void func_socket(void);
extern void func_startup(void);
extern void func_udp(void);
extern void func_util(void);
extern void func_wait(void);
extern void func_wsock32(void);

const struct test winetest_testlist[] =
{
    { "accept", func_accept },
    { "address", func_address },
    { "badsock", func_badsock },
    { "catalog", func_catalog },
    { "connect", func_connect },
    { "data", func_data },
    { "death", func_death },
    { "exports", func_exports },
    { "ioctl", func_ioctl },
    { "linger", func_linger },
    { "local", func_local },
    { "msg", func_msg },
    { "names", func_names },
    { "option", func_option },
    { "overlapped", func_overlapped },
    { "ports", func_ports },
    { "process", func_process },
    { "reset", func_reset },
    { "select", func_select },
    { "sharing", func_sharing },
    { "shutdown", func_shutdown },
    { "socket", func_socket },
    { "startup", func_startup },
    { "udp", func_udp },
    { "util", func_util },
    { "wait", func_wait },
    { "wsock32", func_wsock32 },
    { NULL, NULL }
};
