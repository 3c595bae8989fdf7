"""Carries bytes between `tcp:HOST:PORT` and `unix:PATH`: a Unix socket is seen from every network namespace.

Usage: forward.py LISTEN TARGET
"""

import asyncio
import sys


async def reach(place: str):
    kind, rest = place.split(":", 1)
    if kind == "unix":
        return await asyncio.open_unix_connection(rest)
    host, port = rest.split(":")
    return await asyncio.open_connection(host, int(port))


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(1 << 16):
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
    except (ConnectionError, OSError):
        writer.close()


async def main(listen: str, target: str) -> None:
    async def both(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await reach(target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(carry(reader, there[1]), carry(there[0], writer))
        writer.close()
        there[1].close()

    kind, rest = listen.split(":", 1)
    if kind == "unix":
        server = await asyncio.start_unix_server(both, rest)
    else:
        host, port = rest.split(":")
        server = await asyncio.start_server(both, host, int(port))
    print("listening", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
