"""Print what in the manifests on standard input, a JSON list, the API of Kubernetes does not have or does not get.

The models of its Python client say which fields each object has, of which kind, and which of them must be there.
"""

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

from kubernetes import client

SCALARS = {"str": str, "int": int, "bool": bool, "float": (int, float), "datetime": str, "object": object}
MODELS = {
    "v1/ConfigMap": "V1ConfigMap",
    "v1/Service": "V1Service",
    "apps/v1/Deployment": "V1Deployment",
    "policy/v1/PodDisruptionBudget": "V1PodDisruptionBudget",
    "networking.k8s.io/v1/Ingress": "V1Ingress",
}


def faults(value: Any, kind: str, place: str) -> Iterator[str]:
    """Yield what is wrong with `value`, which should be of `kind`."""
    if many := re.fullmatch(r"list\[(.+)\]", kind):
        if not isinstance(value, list):
            yield f"{place} is no list"
        else:
            for number, item in enumerate(value):
                yield from faults(item, many[1], f"{place}[{number}]")
    elif pairs := re.fullmatch(r"dict\(str, (.+)\)|dict\[str, (.+)\]", kind):
        if not isinstance(value, dict):
            yield f"{place} is no map"
        else:
            for name, item in value.items():
                yield from faults(item, pairs[1] or pairs[2], f"{place}.{name}")
    elif kind in SCALARS:
        if not isinstance(value, SCALARS[kind]) or (kind == "int" and isinstance(value, bool)):
            yield f"{place} is {value!r}, no {kind}"
    else:
        yield from _faults_of_object(value, getattr(client, kind), place)


def _faults_of_object(value: Any, model: Any, place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{place} is no object"
        return
    attributes = {name: attribute for attribute, name in model.attribute_map.items()}
    for name, item in value.items():
        if name not in attributes:
            yield f"{place}.{name} is not a field of {model.__name__}"
        else:
            yield from faults(item, model.openapi_types[attributes[name]], f"{place}.{name}")
    try:
        given = {attribute: value[name] for name, attribute in attributes.items() if name in value}
        model(**given)  # raises for what must be there, and for values that are none of a choice
    except ValueError as error:
        yield f"{place}: {error}"


found = []
for manifest in json.load(sys.stdin):
    model = MODELS[f"{manifest['apiVersion']}/{manifest['kind']}"]
    found += faults(manifest, model, manifest["kind"])
json.dump(found, sys.stdout)
