import type { Urn } from '../model/urn.js'
import type { ArtifactDraft, AspectDraft } from '../ports/index.js'

/** A collection is two kinds of aspects of its URN: this one says what it is… */
export const COLLECTION_SCHEMA = 'urn:ivcap:schema:collection.1'
/** …and one of these for each of its items. */
export const COLLECTION_ITEM_SCHEMA = 'urn:ivcap:schema:collection-item.1'

/** The aspect that makes `item` one of the collection. */
export function itemAspect(collection: string, item: string, policy?: Urn): AspectDraft {
  return {
    entity: collection,
    schema: COLLECTION_ITEM_SCHEMA,
    content: { $schema: COLLECTION_ITEM_SCHEMA, collection, item },
    ...(policy !== undefined && { policy }),
  }
}

/** What an upload into a collection adds, besides the record. */
export function collectionItem({ collection }: ArtifactDraft, artifact: Urn): AspectDraft | undefined {
  return collection === undefined ? undefined : itemAspect(collection, artifact)
}
