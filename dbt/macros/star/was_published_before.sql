{#-
  Whether a post is older than its first collection, so that what it had then is not new: it was
  published more than a day before.
-#}
{% macro was_published_before(published_at, first_collected_at) -%}
    {{ published_at }} < {{ first_collected_at }} - toIntervalDay(1)
{%- endmacro %}
