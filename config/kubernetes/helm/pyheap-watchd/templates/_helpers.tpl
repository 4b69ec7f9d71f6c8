{{- define "pyheap-watchd.selector" -}}
app.kubernetes.io/name: pyheap-watchd
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "pyheap-watchd.labels" -}}
{{ include "pyheap-watchd.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- /* The configuration as the daemon reads it. */}}
{{- define "pyheap-watchd.config" -}}
{{- $kubernetes := merge (dict "opt_in" .Values.optIn) (.Values.config.kubernetes | default dict) }}
{{- toYaml (merge (dict "kubernetes" $kubernetes) .Values.config) }}
{{- end }}
