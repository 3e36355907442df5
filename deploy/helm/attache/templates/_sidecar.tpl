{{/*
attache.sidecar, attache.volumes and attache.gracePeriod are of use in a chart of your own that has this one as a
dependency: {{ include "attache.sidecar" .Subcharts.attache }}
*/}}
{{- define "attache.sidecar" -}}
{{- include "attache.checks" . -}}
{{- $probePort := int .Values.sidecar.probePort -}}
{{- $probed := ternary "attache-probe" "attache-http" (gt $probePort 0) -}}
name: attache
image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- if .Values.sidecar.native }}
restartPolicy: Always
{{- end }}
{{- $registered := include "attache.registered" . }}
env:
  {{- if $registered }}
  # Above the others: Kubernetes replaces $(POD_IP) only below this entry.
  - name: POD_IP
    valueFrom:
      fieldRef:
        fieldPath: status.podIP
  {{- end }}
  {{- if .Values.services }}
  - name: SERVICES
    value: {{ .Values.services | toJson | quote }}
  {{- end }}
  - name: HTTP_ADDR
    value: {{ printf ":%d" (int .Values.sidecar.httpPort) | quote }}
  {{- if gt $probePort 0 }}
  - name: PROBE_ADDR
    value: {{ printf ":%d" $probePort | quote }}
  {{- end }}
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
    value: {{ include "attache.text" .Values.tls.mode | quote }}
  - name: TLS_CERTPATH
    value: /etc/attache/tls
  {{- end }}
  {{- range $name, $value := .Values.env }}
  {{- if not (kindIs "invalid" $value) }}
  - name: {{ $name | quote }}
    value: {{ include "attache.text" $value | quote }}
  {{- end }}
  {{- end }}
  {{- range .Values.extraEnv }}
  - name: {{ .name | quote }}
    {{- if not (kindIs "invalid" .value) }}
    value: {{ include "attache.text" .value | quote }}
    {{- end }}
    {{- with omit . "name" "value" }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
ports:
  - name: attache-http
    containerPort: {{ int .Values.sidecar.httpPort }}
{{- if gt $probePort 0 }}
  - name: attache-probe
    containerPort: {{ $probePort }}
{{- end }}
{{- if and $registered .Values.sidecar.native }}
# The kubelet runs the preStop hooks of all containers first. This one deletes the key.
lifecycle:
  preStop:
    exec:
      command: [/usr/local/bin/attache, drain, {{ $registered | quote }}]
{{- end }}
startupProbe:
  httpGet:
    {{- if and $registered (include "attache.variables" . | splitList "," | has "READY_MIN_CANDIDATES") }}
    # /readyz would wait for the server, which starts when this probe passes.
    path: /healthz
    {{- else }}
    path: /readyz
    {{- end }}
    port: {{ $probed }}
  periodSeconds: 1
  timeoutSeconds: 2
  failureThreshold: {{ int .Values.sidecar.startSeconds }}
readinessProbe:
  httpGet:
    path: /readyz
    port: {{ $probed }}
  periodSeconds: 5
  timeoutSeconds: 2
livenessProbe:
  httpGet:
    path: /healthz
    port: {{ $probed }}
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

{{/*
A value as the text of an environment variable. YAML's numbers are floats here, and a large one has an exponent when it
is printed. What YAML has made of `off` and `on` stays true and false, which attache takes for them.
*/}}
{{- define "attache.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- printf "%.0f" . -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end }}

{{/* The server that attache registers: the first address of dst; with several servers, all of them with commas. */}}
{{- define "attache.registered" -}}
{{- $servers := list -}}
{{- range .Values.services -}}
{{- if .register -}}
{{- $dst := .dst -}}
{{- if not (kindIs "slice" $dst) -}}{{- $dst = splitList "," ($dst | default "" | toString) -}}{{- end -}}
{{- $servers = append $servers (first $dst | trim) -}}
{{- end -}}
{{- end -}}
{{- $servers | uniq | join "," -}}
{{- end }}

{{/* Names of what env and extraEnv set, with commas; an empty value sets nothing. */}}
{{- define "attache.variables" -}}
{{- $names := list -}}
{{- range $name, $value := .Values.env -}}
{{- if $value -}}{{- $names = append $names $name -}}{{- end -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- if or .value .valueFrom -}}{{- $names = append $names .name -}}{{- end -}}
{{- end -}}
{{- $names | join "," -}}
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
    secretName: {{ .Values.tls.secretName | quote }}
    defaultMode: 0440
    items:
      - key: {{ .Values.tls.keys.ca | quote }}
        path: ca.pem
      - key: {{ .Values.tls.keys.cert | quote }}
        path: cert.pem
      - key: {{ .Values.tls.keys.key | quote }}
        path: key.pem
{{- end }}
{{- if include "attache.registry" . }}
- name: attache-registry
  configMap:
    name: {{ include "attache.registry" . | quote }}
    # A missing key is a missing member.
    optional: true
    defaultMode: 0444
    items:
      {{- range $key, $path := .Values.discovery.configMap.items }}
      - key: {{ $key | quote }}
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
