{{/*
attache.sidecar, attache.volumes and attache.gracePeriod are of use in a chart of your own that has this one as a
dependency: {{ include "attache.sidecar" .Subcharts.attache }}
*/}}
{{- define "attache.sidecar" -}}
name: attache
image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- if .Values.sidecar.native }}
restartPolicy: Always
{{- end }}
env:
  - name: SERVICES
    value: {{ .Values.services | toJson | quote }}
  - name: HTTP_ADDR
    value: {{ printf ":%d" (int .Values.sidecar.httpPort) | quote }}
  - name: ADMIN_ADDR
    value: {{ printf "127.0.0.1:%d" (int .Values.sidecar.adminPort) | quote }}
  - name: SHUTDOWN_TIMEOUT
    value: {{ printf "%ds" (int .Values.sidecar.shutdownSeconds) | quote }}
  {{- if not .Values.sidecar.native }}
  - name: DRAIN_DELAY
    value: {{ printf "%ds" (int .Values.sidecar.appSeconds) | quote }}
  {{- end }}
  {{- if .Values.discovery.endpoints }}
  - name: DSC
    value: {{ join "," .Values.discovery.endpoints | quote }}
  {{- else if .Values.discovery.configMap.items }}
  - name: DSC
    value: file:///registry
  {{- end }}
  {{- if .Values.tls.secretName }}
  - name: TLS_MODE
    value: {{ .Values.tls.mode | quote }}
  - name: TLS_CERTPATH
    value: /etc/attache/tls
  {{- end }}
  {{- range $word, $value := .Values.env }}
  - name: {{ $word }}
    value: {{ $value | toString | quote }}
  {{- end }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
ports:
  - name: attache-http
    containerPort: {{ int .Values.sidecar.httpPort }}
startupProbe:
  httpGet:
    path: /readyz
    port: attache-http
  periodSeconds: 1
  timeoutSeconds: 2
  failureThreshold: {{ int .Values.sidecar.startSeconds }}
readinessProbe:
  httpGet:
    path: /readyz
    port: attache-http
  periodSeconds: 5
  timeoutSeconds: 2
livenessProbe:
  httpGet:
    path: /healthz
    port: attache-http
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
resources:
  {{- toYaml .Values.sidecar.resources | nindent 2 }}
securityContext:
  runAsUser: 65532
  runAsGroup: 65532
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- if or .Values.tls.secretName (include "attache.registry" .) .Values.sidecar.extraVolumeMounts }}
volumeMounts:
  {{- if .Values.tls.secretName }}
  - name: attache-tls
    mountPath: /etc/attache/tls
    readOnly: true
  {{- end }}
  {{- if include "attache.registry" . }}
  - name: attache-registry
    mountPath: /registry
    readOnly: true
  {{- end }}
  {{- with .Values.sidecar.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Name of the ConfigMap that is the registry; empty when there is none. */}}
{{- define "attache.registry" -}}
{{- if and .Values.discovery.configMap.items (not .Values.discovery.endpoints) -}}
{{- .Values.discovery.configMap.name | default (printf "%s-members" .Release.Name) -}}
{{- end -}}
{{- end }}

{{- define "attache.volumes" -}}
{{- if .Values.tls.secretName }}
- name: attache-tls
  secret:
    secretName: {{ .Values.tls.secretName }}
    defaultMode: 0440
    items:
      - key: {{ .Values.tls.keys.ca }}
        path: ca.pem
      - key: {{ .Values.tls.keys.cert }}
        path: cert.pem
      - key: {{ .Values.tls.keys.key }}
        path: key.pem
{{- end }}
{{- if include "attache.registry" . }}
- name: attache-registry
  configMap:
    name: {{ include "attache.registry" . }}
    # A key that is not there is a member that is not there.
    optional: true
    defaultMode: 0444
    items:
      {{- range $key, $path := .Values.discovery.configMap.items }}
      - key: {{ $key }}
        path: {{ $path | quote }}
      {{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Longer than the app and then attache may take. */}}
{{- define "attache.gracePeriod" -}}
{{ add (int .Values.sidecar.appSeconds) (int .Values.sidecar.shutdownSeconds) 5 }}
{{- end }}
