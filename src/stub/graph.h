/*
 * The graph of all objects that the walk has met, written to the daemon in the order of their addresses. An object is a
 * row of LEB128 numbers:
 *
 *     distance from the one before, in units of 16 bytes (the first: from 0)
 *     its kind, from 1 on, as kinds() tells them; 0: it is gone, and nothing follows
 *     its size, unless all of its kind have the same
 *     how many references follow; each is the difference of the numbers of the other and of its own, zigzag
 *
 * A reference to what the walk left out is told as one to the object itself, so that a dict's keys and values stay pairs.
 */
#ifndef PYHEAP_GRAPH_H
#define PYHEAP_GRAPH_H
#include "answer.h"
#include "numbering.h"
#include "service.h"
#include "tell.h"

#define GRAPH_BUFFER (1ul << 18)
#define LONGEST_NUMBER 10
#define MANAGED_DICT (1ul << 4) /* 3.11 and later: attributes may lie in the instance itself */

static void graph_flush(struct walk *walk)
{
	struct graph *graph = &walk->graph;
	char head[64], *end = write_number(head, "{\"kind\":\"records\",\"bytes\":", graph->filled);
	*end++ = '}';
	*end++ = '\n';
	if (!write_all(FD_WRITE, head, (u64)(end - head)) || !write_all(FD_WRITE, graph->buffer, graph->filled))
		walk->failed = 1;
	graph->filled = 0;
}

static inline void graph_put(struct walk *walk, u64 value)
{
	struct graph *graph = &walk->graph;
	if (graph->filled > GRAPH_BUFFER - LONGEST_NUMBER) graph_flush(walk);
	while (value > 127) {
		graph->buffer[graph->filled++] = (char)(value | 128);
		value >>= 7;
	}
	graph->buffer[graph->filled++] = (char)value;
}

static int refer(object *o, void *context);

/*
 * An instance's own dict that was made since it was met, when the payload looked at its attributes: what it holds lay in
 * the instance before.
 */
static __attribute__((noinline)) void refer_to_unmet(struct walk *walk, object *o)
{
	struct graph *graph = &walk->graph;
	if (!graph->may_be_attributes || type_of(o) != walk->python->PyDict_Type) {
		if (!vector_push(&graph->references, graph->own)) walk->failed = 1;
		return;
	}
	object *key, *value;
	i64 position = 0;
	graph->may_be_attributes = 0;
	while (walk->python->PyDict_Next(o, &position, &key, &value)) refer(value, walk);
}

static int refer(object *o, void *context)
{
	struct walk *walk = context;
	u64 number = number_of(&walk->graph.numbering, &walk->visited, o);
	if (!number) refer_to_unmet(walk, o);
	else if (!vector_push(&walk->graph.references, number)) walk->failed = 1;
	return 0;
}

static inline void tell_object(struct walk *walk, object *o)
{
	struct graph *graph = &walk->graph;
	const struct kind *kind = kinds_known(&walk->kinds, type_of(o));
	graph->own++;
	graph_put(walk, ((u64)o - graph->address) >> 4);
	graph->address = (u64)o;
	graph_put(walk, kind ? (u64)(kind - walk->kinds.items) + 1 : 0);
	if (!kind) return;
	if (!kind->size) graph_put(walk, size_of(walk, kind, o));
	graph->may_be_attributes = (flags_of(kind->type) & MANAGED_DICT) != 0;
	graph->references.length = 0;
	if (kind->walks) visit_referents(walk, o, kind, refer);
	graph_put(walk, graph->references.length);
	for (u64 n = 0; n < graph->references.length; n++) {
		i64 distance = (i64)(graph->references.items[n] - graph->own);
		graph_put(walk, (u64)distance << 1 ^ (u64)(distance >> 63));
	}
	graph->told += graph->references.length;
}

/* Tells some more objects; returns how many, 0 when all were told. */
static u64 tell_more(struct walk *walk)
{
	struct graph *graph = &walk->graph;
	u64 done = 0;
	for (; graph->word < LEAVES * LEAF_WORDS && done < SLICE && !walk->failed; graph->word++) {
		const u64 *leaf = walk->visited.leaves[graph->word / LEAF_WORDS];
		if (!leaf) {
			graph->word |= LEAF_WORDS - 1;
			continue;
		}
		for (u64 bits = leaf[graph->word % LEAF_WORDS]; bits && !walk->failed; bits &= bits - 1, done++)
			tell_object(walk, (object *)(graph->word << 10 | (u64)__builtin_ctzl(bits) << 4));
	}
	return done;
}
#endif
