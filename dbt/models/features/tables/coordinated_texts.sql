{{ config(order_by=['platform_key', 'event_time', 'text_key']) }}

{% set limits = coordination_limits() %}

with texts as (
    {{ texts_of_authors(
        posts=source('cleaned', 'posts'),
        posts_collected=source('cleaned', 'posts_collected'),
        comments=source('cleaned', 'comments'),
        only=days(),
    ) }}
),

-- What makes two texts equal: the first link without its parameters, or the words.
compared as (
    select
        event_date,
        event_time,
        platform_key,
        stream,
        author,
        text_id,
        text,
        lowerUTF8(trim(trailing '/' from extract(text, 'https?://([^\\s?#]+)'))) as link,
        trimBoth(replaceRegexpAll(lowerUTF8(text), '[\\s\\pZ]+', ' ')) as words,
        MD5(if(link = '', words, link)) as text_key
    from texts
    where link != '' or lengthUTF8(words) >= {{ limits['least_characters'] }}
),

timed as (
    select
        event_date,
        event_time,
        platform_key,
        stream,
        author,
        text_id,
        text,
        link,
        text_key,
        lagInFrame(toNullable(event_time)) over (
            partition by event_date, platform_key, text_key
            order by event_time
            rows between 1 preceding and current row
        ) as time_before
    from compared
),

numbered as (
    select
        event_date,
        event_time,
        platform_key,
        stream,
        author,
        text_id,
        text,
        link,
        text_key,
        sum(toUInt64(
            time_before is null
            or event_time > time_before + interval {{ limits['pause_seconds'] }} second
        )) over (
            partition by event_date, platform_key, text_key
            order by event_time
            rows between unbounded preceding and current row
        ) as burst
    from timed
),

bursts as (
    select
        event_date,
        platform_key,
        text_key,
        burst,
        min(event_time) as began_at,
        max(event_time) as ended_at,
        uniqExact(author) as authors,
        count() as texts,
        any(link) as link_of_burst,
        min(substringUTF8(text, 1, 280)) as example,
        arraySlice(arraySort(groupUniqArray(1000)(concat(stream, ':', text_id))), 1, 100) as text_ids
    from numbered
    group by
        event_date,
        platform_key,
        text_key,
        burst
)

select
    event_date,
    began_at as event_time,
    ended_at,
    platform_key,
    text_key,
    link_of_burst as link,
    example,
    authors,
    texts,
    text_ids
from bursts
where authors >= {{ limits['least_authors'] }}
