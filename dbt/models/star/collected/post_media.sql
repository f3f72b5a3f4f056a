with newest as (
    select
        media.stream as stream,
        media.platform as platform,
        media.post_id as post_id,
        media.picture as picture,
        max(media.published_at) as published_at,
        max(media.happened_at) as since,
        -- As one value: the newest of a nullable column alone would be the newest that is known.
        argMax(
            (
                media.state,
                media.sha256,
                media.media_type,
                media.size_bytes,
                media.reason,
                media.detail,
                media.tries,
                media.retry_at
            ),
            media.happened_at
        ) as row
    from {{ source('cleaned', 'post_media') }} as media
    group by
        media.stream,
        media.platform,
        media.post_id,
        media.picture
)

select
    {{ surrogate_key('newest.post_id') }} as post_key,
    {{ surrogate_key('newest.platform') }} as platform_key,
    newest.platform as platform,
    newest.post_id as post_id,
    newest.stream as stream,
    newest.picture as picture,
    newest.published_at as published_at,
    tupleElement(newest.row, 1) as state,
    newest.since as since,
    tupleElement(newest.row, 2) as sha256,
    tupleElement(newest.row, 3) as media_type,
    tupleElement(newest.row, 4) as size_bytes,
    tupleElement(newest.row, 5) as reason,
    tupleElement(newest.row, 6) as detail,
    tupleElement(newest.row, 7) as tries,
    tupleElement(newest.row, 8) as retry_at
from newest
