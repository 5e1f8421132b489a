"""Generates code from the protos of customer-service into gen/.

The root is proto/io, not proto: Python has a module named io, so it cannot import packages that begin with it. Only the
paths of the generated modules change, to shopstar.customer.v1. The protobuf package is io.shopstar.customer.v1, as in
every language.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
# The contracts of customer-service; a copy in your repository.
ROOT = HERE / "../../proto/io"
OUT = HERE / "gen"

OUT.mkdir(exist_ok=True)
protos = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*.proto")]
options = [f"--{plugin}_out={OUT}" for plugin in ("python", "pyi", "grpc_python")]
subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT}", *options, *protos], check=True)
