{{- define "traefik.selector" -}}
app.kubernetes.io/name: traefik
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "traefik.labels" -}}
{{- include "traefik.selector" . }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "traefik.class" -}}
{{ .Values.ingressClass.name | default .Release.Name }}
{{- end }}
