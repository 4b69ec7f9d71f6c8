/*
 * The only program of an emulated machine with a real kernel: sends threads through the aarch64 stub and prints what came
 * of it, `name value` a line, which machine.test.ts compares.
 */
#include "registers.h"
#include "debugger.h"
#include "sandbox.h"

__attribute__((noreturn)) void start(void)
{
	i64 pid = start_child();
	if (pid == 0) {
		test_registers();
		leave(0);
	}
	say("registers-ended-with", end_of(pid));
	test_debugger();
	test_sandboxes();
	say("end", 1);
	raw_syscall(SYS_reboot, 0xfee1deadl, 0x28121969, 0x4321fedc /* power off */, 0, 0);
	leave(0);
}
