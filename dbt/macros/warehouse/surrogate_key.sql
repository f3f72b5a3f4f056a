{#-
  The key by which a fact refers to a dimension: MD5 of the natural key, 16 bytes.

  It depends only on the value, so that facts and dimensions need no lookup in each other. An id has
  the key that it had as an Int64, because both are hashed as text. For a LowCardinality value the
  dictionary is hashed, not every row.
-#}
{% macro surrogate_key(natural_key) -%}
    MD5(toString({{ natural_key }}))
{%- endmacro %}
