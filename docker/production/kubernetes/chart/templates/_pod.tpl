{{/* What all pods have: who they are, what they may, what they mount. */}}
{{- define "social-assets.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "social-assets.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* A ReadWriteOnce volume is on one node: so are all its pods. The first one chooses the node. */}}
{{- define "social-assets.affinity" -}}
{{- if eq .Values.home.accessMode "ReadWriteOnce" -}}
podAffinity:
  requiredDuringSchedulingIgnoredDuringExecution:
    - topologyKey: kubernetes.io/hostname
      labelSelector:
        matchLabels:
          social-assets/home: {{ include "social-assets.claim" . }}
{{- end }}
{{- end }}

{{/* The Deployment of a component. Takes `root`, `name`, `command`, `container` (YAML of ports and
probes), and, if they differ: `replicas`, `strategy`, `account`, `ui` (whether it has the token). */}}
{{- define "social-assets.deployment" -}}
{{- $name := include "social-assets.name" .root -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}-{{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "social-assets.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .name }}
spec:
  replicas: {{ .replicas | default 1 }}
  # A new one begins when the old one has ended, unless it is one of several.
  strategy: {type: {{ .strategy | default "Recreate" }}}
  selector:
    matchLabels:
      {{- include "social-assets.labels" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .name }}
  template:
    metadata:
      labels:
        {{- include "social-assets.labels" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .name }}
        social-assets/part: {{ .name }}
        social-assets/home: {{ include "social-assets.claim" .root }}
      annotations:
        # Processes read their settings when they start.
        social-assets/settings: {{ include "social-assets.settings" .root | sha256sum }}
    spec:
      serviceAccountName: {{ $name }}-{{ .account | default "server" }}
      automountServiceAccountToken: {{ eq (.account | default "server") "launcher" }}
      enableServiceLinks: false
      terminationGracePeriodSeconds: 60
      securityContext:
        {{- include "social-assets.podSecurity" .root | nindent 8 }}
      {{- with include "social-assets.affinity" .root }}
      affinity:
        {{- . | nindent 8 }}
      {{- end }}
      {{- with .root.Values.image.pullSecrets }}
      imagePullSecrets: {{ toJson . }}
      {{- end }}
      containers:
        - name: {{ .name }}
          image: {{ .root.Values.image.name }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          command: {{ toJson .command }}
          securityContext:
            {{- include "social-assets.containerSecurity" .root | nindent 12 }}
          envFrom:
            - configMapRef: {name: {{ $name }}-environment}
            - secretRef: {name: {{ .root.Values.secrets.platform }}}
          env:
            - {name: DAGSTER_HOME, value: /opt/dagster}
            {{- if .ui }}
            - name: SOCIAL_ASSETS_UI_TOKEN
              valueFrom: {secretKeyRef: {name: {{ .root.Values.secrets.ui }}, key: SOCIAL_ASSETS_UI_TOKEN}}
            {{- end }}
          resources: {{ toJson (index .root.Values .name).resources }}
          {{- .container | nindent 10 }}
          volumeMounts:
            - {name: home, mountPath: /home/social-assets/state}
            - {name: temporary, mountPath: /tmp}
            - {name: instance, mountPath: /opt/dagster/dagster.yaml, subPath: dagster.yaml, readOnly: true}
      volumes:
        - name: home
          persistentVolumeClaim: {claimName: {{ include "social-assets.claim" .root }}}
        - name: temporary
          emptyDir: {sizeLimit: {{ .root.Values.temporary.size }}}
        - name: instance
          configMap: {name: {{ $name }}-instance}
{{- end }}
