"""Published weights: what there is, how it gets here, what it is held to, where it goes."""

from scmpt_core.encoders.weights.folder import copy_folder, find_files
from scmpt_core.encoders.weights.hashes import FirstHashes, HubFile, check, check_listing
from scmpt_core.encoders.weights.hub import Listing, fetch, list_files, partial, size_of
from scmpt_core.encoders.weights.place import only_one, put_in_place, recover
from scmpt_core.encoders.weights.published import DOWNLOADS, Download
from scmpt_core.encoders.weights.transfer import ByteMeter, check_room

__all__ = [
    "DOWNLOADS",
    "ByteMeter",
    "Download",
    "FirstHashes",
    "HubFile",
    "Listing",
    "check",
    "check_listing",
    "check_room",
    "copy_folder",
    "fetch",
    "find_files",
    "list_files",
    "only_one",
    "partial",
    "put_in_place",
    "recover",
    "size_of",
]
