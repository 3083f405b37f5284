"""A webhook handler with Feishu's official SDK for Python: verifies, decrypts, dispatches and acknowledges.

It keeps nothing: an event that is acknowledged and not yet handled is lost when the process ends.
"""

import argparse
import json
import os
import socket
import threading

import lark_oapi as lark
import uvicorn
from fastapi import FastAPI, Request, Response
from lark_oapi.core.model import RawRequest


def on_message(event: lark.im.v1.P2ImMessageReceiveV1) -> None:
    """Reads what a bot needs to answer."""
    message = event.event.message
    json.loads(message.content)["text"], message.chat_id, event.event.sender.sender_id.open_id


def application(keys: dict) -> FastAPI:
    dispatcher = (
        lark.EventDispatcherHandler.builder(
            keys["encrypt_key"], keys["verification_token"], lark.LogLevel.CRITICAL
        )
        .register_p2_im_message_receive_v1(on_message)
        .build()
    )
    app = FastAPI()

    @app.post("/webhook/feishu/load")
    async def webhook(request: Request) -> Response:
        raw = RawRequest()
        raw.uri = request.url.path
        # The SDK looks its headers up in title case.
        raw.headers = {name.title(): value for name, value in request.headers.items()}
        raw.body = await request.body()
        answer = dispatcher.do(raw)
        return Response(answer.content, answer.status_code, dict(answer.headers))

    return app


def fork(processes: int) -> None:
    """Makes this process one of several that accept from the same socket. All end with the first."""
    read, write = os.pipe()
    for _ in range(processes - 1):
        if os.fork() == 0:
            os.close(write)
            threading.Thread(target=lambda: (os.read(read, 1), os._exit(0)), daemon=True).start()
            return


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    app = application(json.loads(os.environ["LOAD_KEYS"]))
    listener = socket.create_server(("127.0.0.1", arguments.port), backlog=1024)
    fork(arguments.processes)
    config = uvicorn.Config(app, loop="uvloop", http="httptools", access_log=False, log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])
