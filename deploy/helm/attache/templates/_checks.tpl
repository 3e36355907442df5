{{/*
What values.schema.json cannot say, as `attache check` says it: it fails for values that attache would refuse, or that
leave it without members.
*/}}
{{- define "attache.checks" -}}
{{- $durations := splitList "," (include "attache.durations" . | trim) -}}
{{- range $setting, $value := .Values.env -}}
{{- range $name := $durations -}}
{{- if or (eq $setting $name) (hasPrefix (printf "%s_" $name) $setting) -}}
{{- include "attache.checkDuration" (dict "place" (printf "env.%s" $setting) "value" $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $names := dict -}}
{{- $listeners := dict -}}
{{- $hasRegistry := or .Values.discovery.endpoints .Values.discovery.configMap.items (hasKey .Values.env "ETCDCTL_ENDPOINTS") -}}
{{- $variables := include "attache.variables" . | splitList "," -}}
{{- range .Values.extraEnv -}}
{{- if has .name (list "DSC" "ETCDCTL_ENDPOINTS") -}}{{- $hasRegistry = true -}}{{- end -}}
{{- end -}}
{{- if has "SERVICES_KEY" $variables -}}
{{- if .Values.services -}}
{{- fail (printf "SERVICES_KEY: expected services=[] beside it, got %d; move these services to the key, or leave the key out" (len .Values.services)) -}}
{{- end -}}
{{- if not $hasRegistry -}}
{{- fail "SERVICES_KEY: expected the registry of the key in discovery.endpoints, got none; an etcd in this pod is discovery.endpoints=[\"http://127.0.0.1:2379\"]" -}}
{{- end -}}
{{- else if not (or .Values.services (has "SERVICES_FILE" $variables)) -}}
{{- fail "services: expected a service, got none; without one set env.SERVICES_KEY or env.SERVICES_FILE" -}}
{{- end -}}
{{- range $index, $service := .Values.services -}}
{{- $place := printf "services[%d]" $index -}}
{{- range $name := $durations -}}
{{- $key := lower $name -}}
{{- if hasKey $service $key -}}
{{- include "attache.checkDuration" (dict "place" (printf "%s.%s" $place $key) "value" (get $service $key)) -}}
{{- end -}}
{{- end -}}
{{- if hasKey $names $service.name -}}
{{- fail (printf "%s.name: expected a name of its own, got %q, which %s.name has" $place $service.name (get $names $service.name)) -}}
{{- end -}}
{{- $_ := set $names $service.name $place -}}
{{- if and $service.register (not $hasRegistry) (not $service.dsc) -}}
{{- fail (printf "%s.register: expected an etcd in discovery.endpoints beside it, got none; an etcd in this pod is discovery.endpoints=[\"http://127.0.0.1:2379\"]" $place) -}}
{{- end -}}
{{- if $service.register -}}
{{- $registries := $service.dsc | default $.Values.discovery.endpoints -}}
{{- if and (not $registries) $.Values.discovery.configMap.items -}}{{- $registries = list "file:// of discovery.configMap.items" -}}{{- end -}}
{{- if not (kindIs "slice" $registries) -}}{{- $registries = splitList "," ($registries | toString) -}}{{- end -}}
{{- range $registry := $registries -}}
{{- if regexMatch "^ *(dns|sentinel|file)://" $registry -}}
{{- fail (printf "%s.register: expected an etcd (http://host:port) as the registry, got %q" $place $registry) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $address := include "attache.addresses" $service.src | splitList "," | compact -}}
{{- if hasKey $listeners $address -}}
{{- fail (printf "%s.src: expected an address of its own, got %q, where %s.src listens" $place $address (get $listeners $address)) -}}
{{- end -}}
{{- $_ := set $listeners $address $place -}}
{{- end -}}
{{- if and $service.srv (not $hasRegistry) (not $service.dsc) -}}
{{- fail (printf "%s.srv: expected discovery.endpoints or discovery.configMap.items beside it, got neither; an etcd in this pod is discovery.endpoints=[\"http://127.0.0.1:2379\"]" $place) -}}
{{- end -}}
{{- end -}}
{{- $registered := include "attache.registered" . -}}
{{- if and .Values.sidecar.native (contains "," $registered) -}}
{{- fail (printf "services: expected one server with register in a pod, got %s; the preStop hook takes out one" $registered) -}}
{{- end -}}
{{- range $index, $service := .Values.services -}}
{{- range $address := include "attache.addresses" $service.dst | splitList "," -}}
{{- if and (ne $address "") (hasKey $listeners $address) (eq (get $listeners $address) (printf "services[%d]" $index)) -}}
{{- fail (printf "services[%d].dst: expected the address of a server, got %q, where services[%d].src of this process listens" $index $address $index) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* A list of addresses as one text, each in one spelling of loopback: a listener on every interface is there, too. */}}
{{- define "attache.addresses" -}}
{{- $list := . -}}
{{- if not (kindIs "slice" .) -}}{{- $list = splitList "," (. | default "" | toString) -}}{{- end -}}
{{- $plain := list -}}
{{- range $list -}}
{{- $plain = append $plain (regexReplaceAll "^(localhost|0\\.0\\.0\\.0|127\\.[0-9.]+)?:" (trim . | replace "tcp://" "") "127.0.0.1:") -}}
{{- end -}}
{{- join "," $plain -}}
{{- end }}

{{- define "attache.checkDuration" -}}
{{- if and (or (kindIs "float64" .value) (kindIs "int64" .value)) (ne (toString .value) "0") -}}
{{- $got := include "attache.text" .value -}}
{{- fail (printf "%s: expected a duration with its unit (%ss or %sms?), got %q" .place $got $got $got) -}}
{{- end -}}
{{- end }}
