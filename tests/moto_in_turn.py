"""moto's server, which answers one request after the other.

Where a transaction of DynamoDB is refused, moto puts the table back as it was when that transaction began, and with it what
others have written meanwhile. On AWS transactions are isolated; here they are because none runs beside another.
"""

import sys
import threading

import moto.server

serve = moto.server.run_simple
in_turn = threading.Lock()


def run(host, port, application, **settings):
    def one(environment, start_response):
        with in_turn:
            return list(application(environment, start_response))

    serve(host, port, one, **settings)


moto.server.run_simple = run

if __name__ == "__main__":
    sys.exit(moto.server.main())
