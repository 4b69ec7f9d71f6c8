"""OpenStack Swift with its S3, all in one process; s3-server.ts starts it in the Debian of make-s3-server.sh.

Called with the port to listen on, or 0; says `listening on PORT`. What it is sent is kept in /srv.
"""

import logging
import os
import sys

import eventlet
import eventlet.wsgi
from swift.common import utils, wsgi
from swift.common.ring import RingBuilder

KINDS = ("account", "container", "object")
BACKEND = """
[DEFAULT]
devices = /srv
mount_check = false
fallocate_reserve = 0
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
PROXY = """
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck s3api tempauth copy slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:s3api]
use = egg:swift#s3api
max_upload_part_num = 10000
[filter:slo]
use = egg:swift#slo
max_manifest_segments = 10000
""" + "".join(
    f"[filter:{name}]\nuse = egg:swift#{name}\n"
    for name in ("catch_errors", "gatekeeper", "healthcheck", "copy", "dlo")
)


class NoCache:
    """Swift's tempauth insists on there being a memcached; nothing is kept between two requests."""

    def get(self, *_args, **_options):
        return None

    set = delete = incr = get


def write(name, text):
    path = os.path.join("/etc/swift", name)
    with open(path, "w") as file:
        file.write(text)
    return path


def make_ring(kind, port):
    """One device, which is this process; where things lie in it does not depend on the port."""
    builder = RingBuilder(4, 1, 0)
    builder.add_dev({"id": 0, "region": 1, "zone": 1, "weight": 1, "ip": "127.0.0.1", "port": port, "device": "device"})
    builder.rebalance()
    builder.get_ring().save(f"/etc/swift/{kind}.ring.gz")


def say_length_of_nothing(app):
    """Eventlet ends what has no length with a last chunk, also after a HEAD, where it is taken for the next answer."""

    def answer(environ, start_response):
        def start(status, headers, *rest):
            if environ["REQUEST_METHOD"] == "HEAD" and not any(name.lower() == "content-length" for name, _ in headers):
                headers = [*headers, ("Content-Length", "0")]
            return start_response(status, headers, *rest)

        return app(environ, start)

    return answer


def serve(socket, path):
    """Answers on the socket with what the configuration describes, like Swift's own programs."""
    app = wsgi.loadapp(path, global_conf={"log_level": "WARNING"})
    options = {
        "environ": {"swift.cache": NoCache()},
        "protocol": wsgi.SwiftHttpProtocol,
        "capitalize_response_headers": False,  # for clients that want `ETag` and not `Etag`
    }
    return eventlet.spawn(eventlet.wsgi.server, socket, say_length_of_nothing(app), wsgi.NullLogger(), **options)


def main():
    eventlet.hubs.use_hub(utils.get_hub())
    utils.eventlet_monkey_patch()
    # There is no syslog here; what fails is said to whoever started this.
    utils.ThreadSafeSysLogHandler = lambda *_args, **_options: logging.StreamHandler()
    os.makedirs("/srv/device", exist_ok=True)
    os.setxattr("/srv/device", "user.tried", b"")  # fails at once where Swift could not keep what it knows of a file
    write("swift.conf", "[swift-hash]\nswift_hash_path_suffix = tests\n")
    sockets = {kind: eventlet.listen(("127.0.0.1", 0)) for kind in KINDS}
    for kind, socket in sockets.items():
        make_ring(kind, socket.getsockname()[1])
    for kind, socket in sockets.items():
        serve(socket, write(f"{kind}-server.conf", BACKEND.format(kind=kind)))
    front = eventlet.listen(("127.0.0.1", int(sys.argv[1])))
    server = serve(front, write("proxy-server.conf", PROXY))
    print(f"listening on {front.getsockname()[1]}", flush=True)
    server.wait()


main()
