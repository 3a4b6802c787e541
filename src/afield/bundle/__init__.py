"""One file that travels: network, preprocessing, use case, examples with their answers, report."""

from afield.bundle.manifest import Manifest
from afield.bundle.packing import pack
from afield.bundle.reading import Bundle, open_bundle

__all__ = ["Bundle", "Manifest", "open_bundle", "pack"]
