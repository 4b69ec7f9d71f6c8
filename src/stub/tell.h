/* Writing to the daemon without Python. */
#ifndef PYHEAP_TELL_H
#define PYHEAP_TELL_H
#include "syscalls.h"

/* Puts a text and a decimal number behind it at `to`; returns where they end. */
static __attribute__((unused)) char *write_number(char *to, const char *name, u64 value)
{
	char digits[20];
	int n = 0;
	while (*name) *to++ = *name++;
	do digits[n++] = (char)('0' + value % 10); while (value /= 10);
	while (n) *to++ = digits[--n];
	return to;
}

/* 0 if nobody reads any more. */
static __attribute__((unused)) int write_all(i64 fd, const char *bytes, u64 length)
{
	while (length) {
		i64 written = raw_syscall(SYS_write, fd, (i64)bytes, (i64)length, 0, 0);
		if (written == -4 /* EINTR */ || written == -11 /* EAGAIN */) continue;
		if (written <= 0) return 0;
		bytes += written;
		length -= (u64)written;
	}
	return 1;
}
#endif
