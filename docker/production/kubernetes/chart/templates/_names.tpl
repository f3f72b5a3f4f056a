{{/* Names and labels. */}}
{{- define "social-assets.name" -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "social-assets.labels" -}}
app.kubernetes.io/name: social-assets
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "social-assets.claim" -}}
{{ .Values.home.existingClaim | default (printf "%s-home" (include "social-assets.name" .)) }}
{{- end }}
