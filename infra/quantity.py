"""Kubernetes quantities (`100m`, `64Mi`, `0.5`) as exact numbers, to be checked and compared."""

import re
from decimal import Decimal

_FORM = re.compile(r"([0-9]+(?:\.[0-9]+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
_FACTOR = {
    None: Decimal(1),
    "m": Decimal(1) / 1000,
    "k": Decimal(1000),
    "M": Decimal(1000) ** 2,
    "G": Decimal(1000) ** 3,
    "T": Decimal(1000) ** 4,
    "Ki": Decimal(1024),
    "Mi": Decimal(1024) ** 2,
    "Gi": Decimal(1024) ** 3,
    "Ti": Decimal(1024) ** 4,
}


_LEAST_CORES = Decimal("0.001")
_LEAST_BYTES = Decimal(1)


def parse_cores(text: str) -> Decimal | None:
    """How much CPU `text` is; None where it has a unit of memory, or is below what can be shared out."""
    cores = parse_quantity(text) if text[-1:] in "0123456789m" else None
    return cores if cores is not None and cores >= _LEAST_CORES else None


def parse_bytes(text: str) -> Decimal | None:
    """How much memory `text` is; None where it is less than a byte, such as 64m in the place of 64M."""
    size = parse_quantity(text)
    return size if size is not None and size >= _LEAST_BYTES else None


def parse_quantity(text: str) -> Decimal | None:
    """How much `text` is, in cores or bytes; None where it is not a quantity."""
    match = _FORM.fullmatch(text)
    return Decimal(match[1]) * _FACTOR[match[2]] if match else None
