#ifndef PYHEAP_TYPES_H
#define PYHEAP_TYPES_H
typedef unsigned int u32;
typedef unsigned long u64;
typedef long i64;
#endif
