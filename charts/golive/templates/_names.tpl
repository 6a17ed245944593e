{{/* One operator per cluster: its policies are cluster-wide, so names are fixed and a second release is refused by Helm. */}}
{{- define "golive.operator" -}}golive-operator{{- end }}

{{/* The identity that policies let write gate and status. */}}
{{- define "golive.operatorUser" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ include "golive.operator" . }}
{{- end }}

{{- define "golive.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "golive.selectorLabels" -}}
app.kubernetes.io/name: golive
app.kubernetes.io/component: operator
{{- end }}

{{- define "golive.labels" -}}
app.kubernetes.io/name: golive
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* Binds the policy of this name in every namespace: a gate is a gate wherever it lies. */}}
{{- define "golive.policyBinding" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ .name }}
  labels:
    {{- include "golive.labels" .root | nindent 4 }}
spec:
  policyName: {{ .name }}
  validationActions: [Deny, Audit]
{{- end }}

{{/* The pod-security profile "restricted" asks for exactly this. */}}
{{- define "golive.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "golive.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
