/*
 * Doubly linked lists whose links are inside the elements
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

#ifndef __TAPSTER_SERVER_LIST_H
#define __TAPSTER_SERVER_LIST_H

#include <stddef.h>

struct list
{
    struct list *next;
    struct list *prev;
};

#define CONTAINER_OF(ptr, type, field) \
    ((type *)((char *)(ptr) - offsetof( type, field )))

static inline void list_init( struct list *list )
{
    list->next = list->prev = list;
}

static inline int list_empty( const struct list *list )
{
    return list->next == list;
}

static inline void list_add_after( struct list *where, struct list *elem )
{
    elem->next = where->next;
    elem->prev = where;
    where->next->prev = elem;
    where->next = elem;
}

static inline void list_add_head( struct list *list, struct list *elem )
{
    list_add_after( list, elem );
}

static inline void list_add_tail( struct list *list, struct list *elem )
{
    list_add_after( list->prev, elem );
}

/* the element is empty afterwards, so removing it again does nothing */
static inline void list_remove( struct list *elem )
{
    elem->next->prev = elem->prev;
    elem->prev->next = elem->next;
    list_init( elem );
}

static inline struct list *list_head( const struct list *list )
{
    return list_empty( list ) ? NULL : list->next;
}

#define LIST_FOR_EACH_ENTRY(var, list, type, field) \
    for (var = CONTAINER_OF( (list)->next, type, field ); \
         &var->field != (list); \
         var = CONTAINER_OF( var->field.next, type, field ))

/* var may be removed and freed meanwhile */
#define LIST_FOR_EACH_ENTRY_SAFE(var, after, list, type, field) \
    for (var = CONTAINER_OF( (list)->next, type, field ), \
         after = CONTAINER_OF( var->field.next, type, field ); \
         &var->field != (list); \
         var = after, after = CONTAINER_OF( after->field.next, type, field ))

#endif  /* __TAPSTER_SERVER_LIST_H */
