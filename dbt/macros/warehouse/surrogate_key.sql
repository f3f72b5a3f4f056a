{#-
  The key by which a fact refers to a dimension: MD5 of the natural key, 16 bytes.

  It depends only on the value, so that facts and dimensions need no lookup in each other, and the
  Int64 and String ids of one user have the same key. For a LowCardinality value the dictionary is
  hashed, not every row.
-#}
{% macro surrogate_key(natural_key) -%}
    MD5(toString({{ natural_key }}))
{%- endmacro %}
