{#-
  What people and accounts write, with its author: one row a text. An account is the author of its
  posts. `only` keeps some days. Texts of which no time is known, or no author, are left out.
-#}
{% macro texts_of_authors(posts, posts_collected, comments, only) %}
    {%- for stream, table, author, text_id, text in (
        ('posts', posts, 'account_id', 'post_id', 'content'),
        (
            'posts_collected',
            posts_collected,
            'account_id',
            'post_id',
            "trimBoth(concat(title, '\\n', content))",
        ),
        ('comments', comments, 'author_id', 'comment_id', 'content'),
    ) %}
    select
        event_date,
        assumeNotNull(published_at) as event_time,
        {{ surrogate_key('platform') }} as platform_key,
        '{{ stream }}' as stream,
        assumeNotNull({{ author }}) as author,
        {{ text_id }} as text_id,
        {{ text }} as text
    from {{ table }}
    {{ only }} and published_at is not null and {{ author }} is not null
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{% endmacro %}
