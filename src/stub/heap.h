/* The collector's lists: what it tracks of the service, read without a reference to any of it. */
#ifndef PYHEAP_HEAP_H
#define PYHEAP_HEAP_H
#include "object.h"

#define LISTS 4 /* three generations and what is frozen */

struct collector {
	u64 heads[LISTS];
	u64 end; /* what was listed as the first of ours; the youngest list ends there */
};

static inline u64 next_in_list(u64 header) { return *(u64 *)header & ~3ul; }
static inline u64 previous_in_list(u64 header) { return ((u64 *)header)[1] & ~3ul; }

static int is_head(u64 head)
{
	u64 next = next_in_list(head), previous = previous_in_list(head);
	if (!next || !previous || ((next | previous) & 7)) return 0;
	return previous_in_list(next) == head && next_in_list(previous) == head;
}

/*
 * Finds the lists by an object that the collector has just listed, the last of the youngest. `frozen_at` is where the
 * frozen ones lie behind that list's head. 0 if what lies there is no such list.
 */
static int collector_find(struct collector *collector, const object *last, u64 frozen_at)
{
	u64 header = (u64)last - 16, head = next_in_list(header);
	u64 at[LISTS] = {0, 24, 48, frozen_at};
	if (!head || (head & 7) || previous_in_list(head) != header) return 0;
	for (int n = 0; n < LISTS; n++) {
		collector->heads[n] = head + at[n];
		if (!is_head(head + at[n])) return 0;
	}
	collector->end = header;
	return 1;
}

/* Calls with every object that the collector lists of the service, until the callback wants no more. */
static inline void collector_each(const struct collector *collector, int (*told)(object *, void *), void *to)
{
	for (int n = 0; n < LISTS; n++) {
		u64 head = collector->heads[n], header = next_in_list(head);
		while (header != head && header != collector->end) {
			u64 next = next_in_list(header);
			__builtin_prefetch((void *)next);
			if (told((object *)(header + 16), to)) return;
			header = next;
		}
	}
}
#endif
