"""Unpack an archive, mailbox or e-mail into a folder, one file per member. Runs only in `index.extraction.worker`.

The files are named 1, 2 and so on, so a name in an archive cannot lead outside the folder. Members that hold files in
turn are unpacked too, down to `Limits.depth`. A member that cannot be unpacked is rejected alone; a file with more
members or bytes than the limits allow is rejected as a whole, because answers from a silently halved archive could not
be trusted.
"""

import errno
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from index.errors import DocumentRejected, NotADocument
from index.formats.containers.archive import gzip_members, tar_members, zip_members
from index.formats.containers.mbox import mailbox_messages
from index.formats.limits import Limits, UnpackedMember, Unpacking
from index.formats.members import Damaged, Member, MemberFault, Overflow, leads_outside
from index.formats.messages.mail import attachments
from index.formats.registry import Format, Parser, format_of, holds_members, is_document, is_ignored, skip_reason
from index.formats.source_file import check_first_bytes, open_source
from index.uris import member_uri

_HEAD_BYTES = 2048
_ANY_RATIO_BYTES = 2**20  # a member up to this size may have any compression ratio
_OUTSIDE = MemberFault("its name leads out of the archive", "Pack the archive again with plain relative names")
_TWICE = MemberFault("another before it has the same name", "Give it a name of its own and pack the archive again")
_REPACK = "Pack the files into a new archive, or fetch it again"
_INTO_FOLDER = "Unpack it into a folder and index that"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def unpack(path: Path, name: PurePosixPath, uri: str, folder: Path, limits: Limits) -> Unpacking:
    """The members of the file at `path`, whose name is `name`, unpacked into `folder`.

    Raises `DocumentRejected` if it cannot be read as an archive, or holds more than the limits allow.
    """
    file_format = format_of(name)
    if file_format is None or not holds_members(file_format):
        raise NotADocument(uri, "it holds no files", "Read it as a document")
    unpacker = _Unpacker(folder, limits)
    max_bytes = limits.file_bytes if is_document(file_format) else limits.container_bytes
    try:
        with open_source(path, uri, max_bytes) as (file, stamp):
            unpacker.unpack(file, name, file_format, uri, depth=1)
    except Overflow as error:
        raise DocumentRejected(uri, str(error), _INTO_FOLDER) from error
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        fix = "Free some space there, or let TMPDIR name a folder that has more"
        raise DocumentRejected(uri, f"there is no room to unpack it in {folder.parent}", fix) from error
    return Unpacking(tuple(unpacker.members), tuple(unpacker.rejected), stamp)


class _Unpacker:
    """Unpacks one file; its counts cover all archives inside that file."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.members: list[UnpackedMember] = []
        self.rejected: list[DocumentRejected] = []
        self._folder = folder
        self._limits = limits
        self._files = 0
        self._bytes = 0

    def unpack(self, file: IO[bytes], name: PurePosixPath, file_format: Format, uri: str, *, depth: int) -> None:
        """Unpack everything in the file; keep nothing of it if it turns out to be damaged."""
        check_first_bytes(name, file.read(_HEAD_BYTES), uri)
        file.seek(0)
        members, rejected = len(self.members), len(self.rejected)
        names: set[str] = set()
        try:
            for member in self._members_of(file, name, file_format):
                self._files += 1
                if self._files > self._limits.members:
                    raise Overflow(f"it holds more than {self._limits.members:,} files")
                try:
                    self._unpack_member(member, uri, names, depth)
                except DocumentRejected as error:
                    self.rejected.append(error)
        except Damaged as error:
            del self.members[members:]
            del self.rejected[rejected:]
            raise DocumentRejected(uri, f"it is damaged or cut short ({str(error)[:100]})", _REPACK) from error

    def _members_of(self, file: IO[bytes], name: PurePosixPath, file_format: Format) -> Iterator[Member]:
        if file_format.parser is Parser.ZIP:
            return zip_members(file)
        if file_format.parser is Parser.TAR:
            return tar_members(file, max_bytes=self._limits.unpacked_bytes)
        if file_format.parser is Parser.GZIP:
            return gzip_members(file, name.stem)
        if file_format.parser is Parser.MAILBOX:
            return mailbox_messages(file)
        return attachments(file.read())

    def _unpack_member(self, member: Member, container: str, names: set[str], depth: int) -> None:
        uri = member_uri(container, member.name)
        if not member.suffix and any(is_ignored(part) for part in member.name.split("/") if part != ".."):
            return
        fault = _OUTSIDE if leads_outside(member.name) else _TWICE if member.name in names else member.fault
        if fault is not None:
            raise (NotADocument if fault.is_expected else DocumentRejected)(uri, fault.reason, fault.fix)
        names.add(member.name)
        name = PurePosixPath(member.name + member.suffix)
        file_format = format_of(name)
        if file_format is None:
            raise NotADocument(uri, skip_reason(name), "Leave it: it is not needed")
        is_too_deep = depth > self._limits.depth or (depth == self._limits.depth and not is_document(file_format))
        if is_too_deep:
            raise DocumentRejected(uri, f"it lies more than {self._limits.depth} archives deep", _INTO_FOLDER)
        path = self._write(member, uri)
        if holds_members(file_format):
            with path.open("rb") as file:
                self.unpack(file, name, file_format, uri, depth=depth + 1)
        if is_document(file_format):
            self.members.append(UnpackedMember(uri, str(name), path.name))
        else:
            path.unlink()

    def _write(self, member: Member, uri: str) -> Path:
        path = self._folder / str(self._files)
        size = 0
        try:
            with path.open("wb") as file:
                for piece in member.data():
                    size += len(piece)
                    self._bytes += len(piece)
                    self._check_size(member, uri, size)
                    file.write(piece)
        except Damaged as error:
            path.unlink()
            raise DocumentRejected(uri, f"it is damaged in its archive ({str(error)[:100]})", _REPACK) from error
        except DocumentRejected:
            path.unlink()
            raise
        return path

    def _check_size(self, member: Member, uri: str, size: int) -> None:
        """Raise `Overflow` or `DocumentRejected` once the bytes unpacked so far are over a limit."""
        limits = self._limits
        if self._bytes > limits.unpacked_bytes:
            raise Overflow(f"more than {limits.unpacked_bytes:,} bytes come out of it")
        if size > limits.file_bytes:
            reason = f"it unpacks to more than the limit of {limits.file_bytes:,} bytes"
            raise DocumentRejected(uri, reason, "Split it into smaller files")
        if member.packed_bytes is not None and size > _ANY_RATIO_BYTES and size > limits.ratio * member.packed_bytes:
            reason = f"it unpacks to more than {limits.ratio} times its packed size, as a file made to fill disks does"
            raise DocumentRejected(uri, reason, "Leave it out of the archive; if you trust it, index it by itself")
