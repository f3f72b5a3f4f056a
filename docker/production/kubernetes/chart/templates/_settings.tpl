{{/* dagster.yaml of this release, and the variables of all its processes. */}}

{{/* files/dagster.yaml, whose launcher is told what the pods of its runs are like. */}}
{{- define "social-assets.instance" -}}
{{- $name := include "social-assets.name" . -}}
{{- $profile := .Files.Get "files/dagster.yaml" | fromYaml -}}
{{- $config := $profile.run_launcher.config -}}
{{- $labels := include "social-assets.labels" . | fromYaml -}}
{{- $_ := set $labels "social-assets/home" (include "social-assets.claim" .) -}}
{{- $_ := set $labels "social-assets/part" "run" -}}
{{- $_ := set $config "labels" $labels -}}
{{- $_ := set $config "env_config_maps" (list (printf "%s-environment" $name)) -}}
{{- $_ := set $config "env_secrets" (list .Values.secrets.platform) -}}
{{- $_ := set $config "image_pull_policy" .Values.image.pullPolicy -}}
{{- $_ := set $config "image_pull_secrets" .Values.image.pullSecrets -}}
{{- $home := dict "name" "home" "persistentVolumeClaim" (dict "claimName" (include "social-assets.claim" .)) -}}
{{- $temporary := dict "name" "temporary" "emptyDir" (dict "sizeLimit" .Values.temporary.size) -}}
{{- $instance := dict "name" "instance" "configMap" (dict "name" (printf "%s-instance" $name)) -}}
{{- $_ := set $config "volumes" (list $home $temporary $instance) -}}
{{- $_ := set $config "security_context" (include "social-assets.containerSecurity" . | fromYaml) -}}
{{- $pod := $config.run_k8s_config.pod_spec_config -}}
{{- $_ := set $pod "security_context" (include "social-assets.podSecurity" . | fromYaml) -}}
{{- with include "social-assets.affinity" . -}}
{{- $_ := set $pod "affinity" (fromYaml .) -}}
{{- end -}}
{{- $_ := set $config.run_k8s_config.container_config "resources" .Values.runs.resources -}}
{{ toYaml $profile }}
{{- end }}

{{- define "social-assets.settings" -}}
{{- $name := include "social-assets.name" . -}}
{{- $fixed := dict
  "SOCIAL_ASSETS_ENVIRONMENT" "production"
  "SOCIAL_ASSETS_LOG_FORMAT" "json"
  "SOCIAL_ASSETS_HOME" "/home/social-assets/state/home"
  "SOCIAL_ASSETS_MACHINE" (printf "%s/%s" .Release.Namespace $name)
  "SOCIAL_ASSETS_IMAGE" .Values.image.name
  "SOCIAL_ASSETS_STREAMING_HOST" (printf "%s-streaming" $name)
  "SOCIAL_ASSETS_BATCH_HOST" (printf "%s-batch" $name)
  "SOCIAL_ASSETS_K8S_NAMESPACE" .Release.Namespace
  "SOCIAL_ASSETS_K8S_SERVICE_ACCOUNT" (printf "%s-server" $name)
  "SOCIAL_ASSETS_K8S_INSTANCE_CONFIG_MAP" (printf "%s-instance" $name)
  "HOME" "/tmp" -}}
{{ toYaml (merge $fixed .Values.environment) }}
{{- end }}
