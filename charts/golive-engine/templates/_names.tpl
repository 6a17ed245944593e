{{- define "golive-engine.name" -}}
{{- $name := .Values.fullnameOverride | default .Release.Name -}}
{{- if gt (len $name) 49 -}}
{{- fail (printf "the engine's name %q has more than 49 characters: its Lease is called golive-engine-NAME and a name ends at 63" $name) -}}
{{- end -}}
{{- $name -}}
{{- end }}

{{- define "golive-engine.golive" -}}
{{- required "golive is required: the name of the GoLive object whose gate this engine obeys" .Values.golive -}}
{{- end }}

{{- define "golive-engine.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "golive-engine.selectorLabels" -}}
app.kubernetes.io/name: golive-engine
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "golive-engine.labels" -}}
{{ include "golive-engine.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* The settings file: defaults of the chart, then what the user wrote, then what must agree with the objects here. */}}
{{- define "golive-engine.settings" -}}
{{- $journal := dict "journal" (dict "url" "sqlite:////var/lib/golive/journal.db") -}}
{{- $http := dict "http" (dict "port" 8000) -}}
{{- $defaults := merge $journal $http -}}
{{- if .Values.venueCa.secretName -}}
{{- $defaults = merge $defaults (dict "venue" (dict "ca_file" (printf "/etc/golive-venue-ca/%s" .Values.venueCa.key))) -}}
{{- end -}}
{{- $fixed := dict "engine" (include "golive-engine.name" .) "golive" (include "golive-engine.golive" .) -}}
{{- mergeOverwrite $defaults (deepCopy .Values.config) $fixed | toYaml -}}
{{- end }}
