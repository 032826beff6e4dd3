"""A file that holds files -> those worth reading, each in a file of its own in a folder. Only `index.extraction.worker` calls it.

The files are called 1, 2 and so on, so no name in an archive can lead anywhere. What holds files in turn is
unpacked as well, down to `Limits.depth`. A member that cannot be unpacked costs itself alone; more members or bytes than the
limits allow cost the whole file, since half an archive, silently, would be an answer that nobody can trust.
"""

import errno
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from index.errors import DocumentRejected, NotADocument
from index.formats.archive import tar_members, zip_members
from index.formats.limits import Limits, UnpackedMember, Unpacking
from index.formats.mail import attachments
from index.formats.mbox import mailbox_messages
from index.formats.members import Damaged, Member, MemberFault, Overflow, leads_outside
from index.formats.registry import Format, Parser, format_of, holds_members, is_document, is_passed_over, why_skipped
from index.formats.source_file import opened, refuse_unless_like
from index.uris import member_uri

_HEAD = 2048
_SMALL = 2**20  # a member up to this size may be packed as tightly as it likes
_OUTSIDE = MemberFault("its name leads out of the archive", "Pack the archive again with plain relative names")
_TWICE = MemberFault("another before it has the same name", "Give it a name of its own and pack the archive again")
_REPACK = "Pack the files into a new archive, or fetch it again"
_INTO_FOLDER = "Unpack it into a folder and index that"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def unpack(path: Path, name: PurePosixPath, uri: str, folder: Path, limits: Limits) -> Unpacking:
    """The members of the file at `path`, which is called `name`, unpacked into `folder`.

    `DocumentRejected` if it does not read as an archive, or holds more than the limits allow.
    """
    form = format_of(name)
    if form is None or not holds_members(form):
        raise NotADocument(uri, "it holds no files", "Read it as a document")
    run = _Unpacker(folder, limits)
    most_bytes = limits.file_bytes if is_document(form) else limits.container_bytes
    try:
        with opened(path, uri, most_bytes) as (file, source):
            run.enter(file, name, form, uri, depth=1)
    except Overflow as error:
        raise DocumentRejected(uri, str(error), _INTO_FOLDER) from error
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        fix = "Free some space there, or let TMPDIR name a folder that has more"
        raise DocumentRejected(uri, f"there is no room to unpack it in {folder.parent}", fix) from error
    return Unpacking(tuple(run.members), tuple(run.refused), source)


class _Unpacker:
    """Unpacks one file; the counts go over all archives inside of it."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.members: list[UnpackedMember] = []
        self.refused: list[DocumentRejected] = []
        self._folder = folder
        self._limits = limits
        self._files = 0
        self._bytes = 0

    def enter(self, file: IO[bytes], name: PurePosixPath, form: Format, uri: str, *, depth: int) -> None:
        """Take everything that is in the file; nothing of it if it turns out to be damaged."""
        refuse_unless_like(name, file.read(_HEAD), uri)
        file.seek(0)
        members, refused = len(self.members), len(self.refused)
        taken: set[str] = set()
        try:
            for member in self._members_of(file, form):
                self._files += 1
                if self._files > self._limits.members:
                    raise Overflow(f"it holds more than {self._limits.members:,} files")
                try:
                    self._take(member, uri, taken, depth)
                except DocumentRejected as error:
                    self.refused.append(error)
        except Damaged as error:
            del self.members[members:]
            del self.refused[refused:]
            raise DocumentRejected(uri, f"it is damaged or cut short ({str(error)[:100]})", _REPACK) from error

    def _members_of(self, file: IO[bytes], form: Format) -> Iterator[Member]:
        if form.parser is Parser.ZIP:
            return zip_members(file)
        if form.parser is Parser.TAR:
            return tar_members(file, most_bytes=self._limits.unpacked_bytes)
        if form.parser is Parser.MAILBOX:
            return mailbox_messages(file)
        return attachments(file.read())

    def _take(self, member: Member, container: str, taken: set[str], depth: int) -> None:
        uri = member_uri(container, member.name)
        if not member.suffix and any(is_passed_over(part) for part in member.name.split("/") if part != ".."):
            return
        fault = _OUTSIDE if leads_outside(member.name) else _TWICE if member.name in taken else member.fault
        if fault is not None:
            raise (NotADocument if fault.is_expected else DocumentRejected)(uri, fault.reason, fault.fix)
        taken.add(member.name)
        name = PurePosixPath(member.name + member.suffix)
        form = format_of(name)
        if form is None:
            raise NotADocument(uri, why_skipped(name), "Leave it: it is not needed")
        is_too_deep = depth > self._limits.depth or (depth == self._limits.depth and not is_document(form))
        if is_too_deep:
            raise DocumentRejected(uri, f"it lies more than {self._limits.depth} archives deep", _INTO_FOLDER)
        path = self._write(member, uri)
        if holds_members(form):
            with path.open("rb") as file:
                self.enter(file, name, form, uri, depth=depth + 1)
        if is_document(form):
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
                    self._refuse_bomb(member, uri, size)
                    file.write(piece)
        except Damaged as error:
            path.unlink()
            raise DocumentRejected(uri, f"it is damaged in its archive ({str(error)[:100]})", _REPACK) from error
        except DocumentRejected:
            path.unlink()
            raise
        return path

    def _refuse_bomb(self, member: Member, uri: str, size: int) -> None:
        limits = self._limits
        if self._bytes > limits.unpacked_bytes:
            raise Overflow(f"more than {limits.unpacked_bytes:,} bytes come out of it")
        if size > limits.file_bytes:
            reason = f"it unpacks to more than the limit of {limits.file_bytes:,} bytes"
            raise DocumentRejected(uri, reason, "Split it into smaller files")
        if member.packed_bytes is not None and size > _SMALL and size > limits.ratio * member.packed_bytes:
            reason = f"it unpacks to more than {limits.ratio} times its packed size, as a file made to fill disks does"
            raise DocumentRejected(uri, reason, "Leave it out of the archive; if you trust it, index it by itself")
