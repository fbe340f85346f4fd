import type { Urn } from '../model/urn.js'
import type { ArtifactDraft, AspectDraft } from '../ports/index.js'

/** Schema of the definition of a collection: an aspect of its URN. */
export const COLLECTION_SCHEMA = 'urn:ivcap:schema:collection.1'
/** Schema of the membership of one item: also an aspect of the collection's URN. */
export const COLLECTION_ITEM_SCHEMA = 'urn:ivcap:schema:collection-item.1'

/** The aspect that adds `item` to the collection. */
export function itemAspect(collection: string, item: string, policy?: Urn): AspectDraft {
  return {
    entity: collection,
    schema: COLLECTION_ITEM_SCHEMA,
    content: { $schema: COLLECTION_ITEM_SCHEMA, collection, item },
    ...(policy !== undefined && { policy }),
  }
}

/** The aspect that an upload into a collection adds, besides the record. */
export function collectionItem({ collection }: ArtifactDraft, artifact: Urn): AspectDraft | undefined {
  return collection === undefined ? undefined : itemAspect(collection, artifact)
}
