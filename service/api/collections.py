"""GET /v1/collections: what can be asked."""

from fastapi import APIRouter

from service.api.parts import Parts, TheParts
from service.api.schemas import CollectionOut, CollectionsResponse

router = APIRouter(tags=["documents"])


@router.get("/v1/collections", summary="List collections")
async def collections(parts: TheParts) -> CollectionsResponse:
    """All collections with their sizes. An empty list means that nothing was indexed yet."""
    return await parts.read(lambda: _collections(parts))


def _collections(parts: Parts) -> CollectionsResponse:
    library = parts.service.library
    states = [library.open(name).state() for name in library.names()]
    return CollectionsResponse(
        default=parts.service.settings.collection,
        collections=tuple(CollectionOut.model_validate(state) for state in states),
    )
