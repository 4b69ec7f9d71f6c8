"""asyncio: echo over TCP, and children with every kind of child watcher that there is."""

import asyncio
import asyncio.subprocess
import sys
import warnings

import witness

warnings.simplefilter("ignore", DeprecationWarning)


def echo():
    async def serve(reader, writer):
        try:
            while True:
                writer.write(await reader.readexactly(500))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def talk(port, number):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        sent = bytes([number]) * 500
        while not witness.stopping:
            writer.write(sent)
            if await reader.readexactly(500) != sent:
                witness.blame("an echo was wrong")
            await asyncio.sleep(0.002)
            witness.beat()
        writer.close()

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        talks = [asyncio.ensure_future(talk(port, number)) for number in range(4)]
        await asyncio.sleep(0.2)
        witness.ready()
        await asyncio.gather(*talks)
        server.close()

    asyncio.run(main())


def watching(name):
    """Runs programs from a loop. FastChildWatcher reaps any child there is, and complains about unknown ones."""

    def state():
        choose(name)
        asyncio.run(spawn())

    return state


def choose(name):
    """Python 3.14 has no choice any more."""
    if name is not None and sys.version_info < (3, 14):
        asyncio.set_child_watcher(getattr(asyncio, name)())


async def spawn():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: witness.blame("the loop complains: %r" % context))
    if sys.version_info < (3, 14):
        watcher = asyncio.get_child_watcher()
        watcher.attach_loop(loop)
    witness.ready(steady=False)
    while not witness.stopping:
        witness.children_made += 1
        child = await asyncio.create_subprocess_exec("/bin/echo", "hello", stdout=asyncio.subprocess.PIPE)
        answer, _ = await child.communicate()
        if (child.returncode, answer) != (0, b"hello\n"):
            witness.blame("a program answered %r" % ((child.returncode, answer),))
        witness.beat()
    await asyncio.sleep(0.1)


STATES = {
    "echo": echo,
    "watcher": watching(None),
    "watcher-threaded": watching("ThreadedChildWatcher"),
    "watcher-safe": watching("SafeChildWatcher"),
    "watcher-fast": watching("FastChildWatcher"),
}
