/*
 * The table of exports: names and the fixed ordinals
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

#include "util.h"

/* those that Wine lacks are marked */
static const struct
{
    const char *name;
    BOOL missing;
}
names[] =
{
    { "FreeAddrInfoEx", FALSE },
    { "FreeAddrInfoExW", FALSE },
    { "FreeAddrInfoW", FALSE },
    { "GetAddrInfoExA", TRUE },
    { "GetAddrInfoExCancel", FALSE },
    { "GetAddrInfoExOverlappedResult", FALSE },
    { "GetAddrInfoExW", FALSE },
    { "GetAddrInfoW", FALSE },
    { "GetHostNameW", FALSE },
    { "GetNameInfoW", FALSE },
    { "InetNtopW", FALSE },
    { "InetPtonW", FALSE },
    { "ProcessSocketNotifications", TRUE },
    { "SetAddrInfoExA", TRUE },
    { "SetAddrInfoExW", TRUE },
    { "WEP", FALSE },
    { "WPUCompleteOverlappedRequest", FALSE },
    { "WPUGetProviderPathEx", TRUE },
    { "WSAAccept", FALSE },
    { "WSAAddressToStringA", FALSE },
    { "WSAAddressToStringW", FALSE },
    { "WSAAdvertiseProvider", TRUE },
    { "WSAAsyncGetHostByAddr", FALSE },
    { "WSAAsyncGetHostByName", FALSE },
    { "WSAAsyncGetProtoByName", FALSE },
    { "WSAAsyncGetProtoByNumber", FALSE },
    { "WSAAsyncGetServByName", FALSE },
    { "WSAAsyncGetServByPort", FALSE },
    { "WSAAsyncSelect", FALSE },
    { "WSACancelAsyncRequest", FALSE },
    { "WSACancelBlockingCall", FALSE },
    { "WSACleanup", FALSE },
    { "WSACloseEvent", FALSE },
    { "WSAConnect", FALSE },
    { "WSAConnectByList", TRUE },
    { "WSAConnectByNameA", FALSE },
    { "WSAConnectByNameW", FALSE },
    { "WSACreateEvent", FALSE },
    { "WSADuplicateSocketA", FALSE },
    { "WSADuplicateSocketW", FALSE },
    { "WSAEnumNameSpaceProvidersA", FALSE },
    { "WSAEnumNameSpaceProvidersExA", TRUE },
    { "WSAEnumNameSpaceProvidersExW", TRUE },
    { "WSAEnumNameSpaceProvidersW", FALSE },
    { "WSAEnumNetworkEvents", FALSE },
    { "WSAEnumProtocolsA", FALSE },
    { "WSAEnumProtocolsW", FALSE },
    { "WSAEventSelect", FALSE },
    { "WSAGetLastError", FALSE },
    { "WSAGetOverlappedResult", FALSE },
    { "WSAGetQOSByName", FALSE },
    { "WSAGetServiceClassInfoA", FALSE },
    { "WSAGetServiceClassInfoW", FALSE },
    { "WSAGetServiceClassNameByClassIdA", FALSE },
    { "WSAGetServiceClassNameByClassIdW", FALSE },
    { "WSAHtonl", FALSE },
    { "WSAHtons", FALSE },
    { "WSAInstallServiceClassA", FALSE },
    { "WSAInstallServiceClassW", FALSE },
    { "WSAIoctl", FALSE },
    { "WSAIsBlocking", FALSE },
    { "WSAJoinLeaf", FALSE },
    { "WSALookupServiceBeginA", FALSE },
    { "WSALookupServiceBeginW", FALSE },
    { "WSALookupServiceEnd", FALSE },
    { "WSALookupServiceNextA", FALSE },
    { "WSALookupServiceNextW", FALSE },
    { "WSANSPIoctl", FALSE },
    { "WSANtohl", FALSE },
    { "WSANtohs", FALSE },
    { "WSAPoll", FALSE },
    { "WSAProviderCompleteAsyncCall", TRUE },
    { "WSAProviderConfigChange", FALSE },
    { "WSARecv", FALSE },
    { "WSARecvDisconnect", FALSE },
    { "WSARecvFrom", FALSE },
    { "WSARemoveServiceClass", FALSE },
    { "WSAResetEvent", FALSE },
    { "WSASend", FALSE },
    { "WSASendDisconnect", FALSE },
    { "WSASendMsg", FALSE },
    { "WSASendTo", FALSE },
    { "WSASetBlockingHook", FALSE },
    { "WSASetEvent", FALSE },
    { "WSASetLastError", FALSE },
    { "WSASetServiceA", FALSE },
    { "WSASetServiceW", FALSE },
    { "WSASocketA", FALSE },
    { "WSASocketW", FALSE },
    { "WSAStartup", FALSE },
    { "WSAStringToAddressA", FALSE },
    { "WSAStringToAddressW", FALSE },
    { "WSAUnadvertiseProvider", TRUE },
    { "WSAUnhookBlockingHook", FALSE },
    { "WSAWaitForMultipleEvents", FALSE },
    { "WSApSetPostRoutine", FALSE },
    { "WSCDeinstallProvider", FALSE },
    { "WSCDeinstallProvider32", TRUE },
    { "WSCDeinstallProviderEx", TRUE },
    { "WSCEnableNSProvider", FALSE },
    { "WSCEnableNSProvider32", TRUE },
    { "WSCEnumNameSpaceProviders32", TRUE },
    { "WSCEnumNameSpaceProvidersEx32", TRUE },
    { "WSCEnumProtocols", FALSE },
    { "WSCEnumProtocols32", TRUE },
    { "WSCEnumProtocolsEx", TRUE },
    { "WSCGetApplicationCategory", TRUE },
    { "WSCGetApplicationCategoryEx", TRUE },
    { "WSCGetProviderInfo", FALSE },
    { "WSCGetProviderInfo32", TRUE },
    { "WSCGetProviderPath", FALSE },
    { "WSCGetProviderPath32", TRUE },
    { "WSCInstallNameSpace", FALSE },
    { "WSCInstallNameSpace32", TRUE },
    { "WSCInstallNameSpaceEx", TRUE },
    { "WSCInstallNameSpaceEx2", TRUE },
    { "WSCInstallNameSpaceEx32", TRUE },
    { "WSCInstallProvider", FALSE },
    { "WSCInstallProvider64_32", TRUE },
    { "WSCInstallProviderAndChains64_32", TRUE },
    { "WSCInstallProviderEx", TRUE },
    { "WSCSetApplicationCategory", FALSE },
    { "WSCSetApplicationCategoryEx", TRUE },
    { "WSCSetProviderInfo", TRUE },
    { "WSCSetProviderInfo32", TRUE },
    { "WSCUnInstallNameSpace", FALSE },
    { "WSCUnInstallNameSpace32", TRUE },
    { "WSCUnInstallNameSpaceEx2", TRUE },
    { "WSCUpdateProvider", FALSE },
    { "WSCUpdateProvider32", TRUE },
    { "WSCUpdateProviderEx", TRUE },
    { "WSCWriteNameSpaceOrder", FALSE },
    { "WSCWriteNameSpaceOrder32", TRUE },
    { "WSCWriteProviderOrder", FALSE },
    { "WSCWriteProviderOrder32", TRUE },
    { "WSCWriteProviderOrderEx", TRUE },
    { "WahCloseApcHelper", TRUE },
    { "WahCloseHandleHelper", TRUE },
    { "WahCloseNotificationHandleHelper", TRUE },
    { "WahCloseSocketHandle", TRUE },
    { "WahCloseThread", TRUE },
    { "WahCompleteRequest", TRUE },
    { "WahCreateHandleContextTable", TRUE },
    { "WahCreateNotificationHandle", TRUE },
    { "WahCreateSocketHandle", TRUE },
    { "WahDestroyHandleContextTable", TRUE },
    { "WahDisableNonIFSHandleSupport", TRUE },
    { "WahEnableNonIFSHandleSupport", TRUE },
    { "WahEnumerateHandleContexts", TRUE },
    { "WahInsertHandleContext", TRUE },
    { "WahNotifyAllProcesses", TRUE },
    { "WahOpenApcHelper", TRUE },
    { "WahOpenCurrentThread", TRUE },
    { "WahOpenHandleHelper", TRUE },
    { "WahOpenNotificationHandleHelper", TRUE },
    { "WahQueueUserApc", TRUE },
    { "WahReferenceContextByHandle", TRUE },
    { "WahRemoveHandleContext", TRUE },
    { "WahWaitForNotification", TRUE },
    { "WahWriteLSPEvent", TRUE },
    { "__WSAFDIsSet", FALSE },
    { "accept", FALSE },
    { "bind", FALSE },
    { "closesocket", FALSE },
    { "connect", FALSE },
    { "freeaddrinfo", FALSE },
    { "getaddrinfo", FALSE },
    { "gethostbyaddr", FALSE },
    { "gethostbyname", FALSE },
    { "gethostname", FALSE },
    { "getnameinfo", FALSE },
    { "getpeername", FALSE },
    { "getprotobyname", FALSE },
    { "getprotobynumber", FALSE },
    { "getservbyname", FALSE },
    { "getservbyport", FALSE },
    { "getsockname", FALSE },
    { "getsockopt", FALSE },
    { "htonl", FALSE },
    { "htons", FALSE },
    { "inet_addr", FALSE },
    { "inet_ntoa", FALSE },
    { "inet_ntop", FALSE },
    { "inet_pton", FALSE },
    { "ioctlsocket", FALSE },
    { "listen", FALSE },
    { "ntohl", FALSE },
    { "ntohs", FALSE },
    { "recv", FALSE },
    { "recvfrom", FALSE },
    { "select", FALSE },
    { "send", FALSE },
    { "sendto", FALSE },
    { "setsockopt", FALSE },
    { "shutdown", FALSE },
    { "socket", FALSE },
};

static const struct
{
    WORD ordinal;
    const char *name;
}
ordinals[] =
{
    { 1, "accept" },
    { 2, "bind" },
    { 3, "closesocket" },
    { 4, "connect" },
    { 5, "getpeername" },
    { 6, "getsockname" },
    { 7, "getsockopt" },
    { 8, "htonl" },
    { 9, "htons" },
    { 10, "ioctlsocket" },
    { 11, "inet_addr" },
    { 12, "inet_ntoa" },
    { 13, "listen" },
    { 14, "ntohl" },
    { 15, "ntohs" },
    { 16, "recv" },
    { 17, "recvfrom" },
    { 18, "select" },
    { 19, "send" },
    { 20, "sendto" },
    { 21, "setsockopt" },
    { 22, "shutdown" },
    { 23, "socket" },
    { 51, "gethostbyaddr" },
    { 52, "gethostbyname" },
    { 53, "getprotobyname" },
    { 54, "getprotobynumber" },
    { 55, "getservbyname" },
    { 56, "getservbyport" },
    { 57, "gethostname" },
    { 101, "WSAAsyncSelect" },
    { 102, "WSAAsyncGetHostByAddr" },
    { 103, "WSAAsyncGetHostByName" },
    { 104, "WSAAsyncGetProtoByNumber" },
    { 105, "WSAAsyncGetProtoByName" },
    { 106, "WSAAsyncGetServByPort" },
    { 107, "WSAAsyncGetServByName" },
    { 108, "WSACancelAsyncRequest" },
    { 109, "WSASetBlockingHook" },
    { 110, "WSAUnhookBlockingHook" },
    { 111, "WSAGetLastError" },
    { 112, "WSASetLastError" },
    { 113, "WSACancelBlockingCall" },
    { 114, "WSAIsBlocking" },
    { 115, "WSAStartup" },
    { 116, "WSACleanup" },
    { 151, "__WSAFDIsSet" },
    { 500, "WEP" },
};

static void test_names( HMODULE module )
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(names); i++)
        todo_wine_if( names[i].missing ) ok( !!GetProcAddress( module, names[i].name ), "no %s\n", names[i].name );
}

/* programs that were linked long ago import by ordinal */
static void test_ordinals( HMODULE module )
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(ordinals); i++)
    {
        FARPROC by_name = GetProcAddress( module, ordinals[i].name );
        FARPROC by_ordinal = GetProcAddress( module, (const char *)(UINT_PTR)ordinals[i].ordinal );

        ok( !!by_ordinal, "no ordinal %u, %s\n", ordinals[i].ordinal, ordinals[i].name );
        ok( by_name == by_ordinal, "ordinal %u is not %s\n", ordinals[i].ordinal, ordinals[i].name );
    }
}

START_TEST(exports)
{
    HMODULE module = GetModuleHandleA( "ws2_32.dll" );

    /* so that the program imports it */
    ok( htons( 0x1234 ) == 0x3412, "got %#x\n", htons( 0x1234 ) );
    ok( !!module, "ws2_32.dll is not loaded\n" );
    test_names( module );
    test_ordinals( module );
}
