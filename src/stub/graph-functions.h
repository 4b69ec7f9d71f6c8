/* The graph, as Python calls it: number(), then the others. */
#ifndef PYHEAP_GRAPH_FUNCTIONS_H
#define PYHEAP_GRAPH_FUNCTIONS_H
#include "graph.h"

/* number(): numbers the objects that were met; how many there are. What was hidden has no number. */
static object *number_objects(object *self, object *none)
{
	struct walk *walk = walk_of(self);
	struct graph *graph = &walk->graph;
	(void)none;
	for (u64 n = 0; n < walk->hidden.length; n++) visited_remove(&walk->visited, walk->hidden.items[n]);
	graph->buffer = map_pages(GRAPH_BUFFER);
	if (!graph->buffer || !numbering_make(&graph->numbering, &walk->visited)) walk->failed = 1;
	return answer(walk, number(walk, graph->numbering.objects));
}

/* number_of(o): from 1 on; 0 for what was not met. */
static object *number_of_object(object *self, object *o)
{
	struct walk *walk = walk_of(self);
	return number(walk, number_of(&walk->graph.numbering, &walk->visited, o));
}

/* kinds(): [type, an instance, size of all or 0, how it is walked, ...] of all that are known, in their order. */
static object *tell_kinds(object *self, object *none)
{
	struct walk *walk = walk_of(self);
	object *list = new_list(walk);
	(void)none;
	for (u64 n = 0; n < walk->kinds.length; n++) {
		const struct kind *kind = walk->kinds.items + n;
		put(walk, list, kind->type);
		put(walk, list, kind->sample ? kind->sample : walk->python->Py_None);
		put_number(walk, list, kind->size);
		put_number(walk, list, kind->walks);
	}
	return answer(walk, list);
}

/* tell(): writes the next records; how many, 0 when the last were written. */
static object *tell_records(object *self, object *none)
{
	struct walk *walk = walk_of(self);
	(void)none;
	u64 done = tell_more(walk);
	if (!done) graph_flush(walk);
	return answer(walk, number(walk, done));
}

/* references(): how many were told. */
static object *told_references(object *self, object *none)
{
	(void)none;
	return number(walk_of(self), walk_of(self)->graph.told);
}
#endif
