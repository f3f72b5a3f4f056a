select
    {{ surrogate_key('posts.post_id') }} as post_key,
    {{ surrogate_key('posts.platform') }} as platform_key,
    {{ surrogate_key('argMin(posts.account_id, posts.collected_at)') }} as account_key,
    posts.platform as platform,
    argMin(posts.account_id, posts.collected_at) as account_id,
    posts.post_id as post_id,
    min(posts.published_at) as published_at,
    argMax(posts.title, posts.collected_at) as title,
    argMax(posts.content, posts.collected_at) as content,
    argMax(posts.link, posts.collected_at) as link,
    argMax(posts.language, posts.collected_at) as language
from {{ source('cleaned', 'posts_collected') }} as posts
group by
    posts.platform,
    posts.post_id
