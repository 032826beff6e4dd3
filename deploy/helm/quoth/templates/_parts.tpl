{{- define "quoth.labels" -}}
app.kubernetes.io/name: quoth
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "quoth.name" -}}
{{ printf "%s-%s" .root.Release.Name .part | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "quoth.pod" -}}
serviceAccountName: {{ .root.Values.serviceAccount }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: 45 # shutdown_grace_s (20), for Slack once more, and time for a worker to put its job back
securityContext:
  runAsNonRoot: true
  runAsUser: 10001 # the user of the image
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: { type: RuntimeDefault }
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "quoth.labels" . | nindent 8 }}
volumes:
  - name: cache # what is lost with a pod is made again
    emptyDir: { sizeLimit: {{ .values.cacheSize }} }
  - name: tmp
    emptyDir: {}
{{- end }}

{{- define "quoth.container" -}}
image: "{{ .root.Values.image.repository }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}"
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
envFrom:
  - configMapRef: { name: {{ include "quoth.name" (dict "root" .root "part" "settings") }} }
  {{- range compact (list .root.Values.storage.secret .root.Values.secret) }}
  - secretRef: { name: {{ . }} }
  {{- end }}
env:
  - name: QUOTH_DATABASE_URL
    valueFrom: { secretKeyRef: { name: {{ .root.Values.database.secret }}, key: {{ .root.Values.database.key }} } }
resources: {{ toYaml .values.resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
volumeMounts:
  - { name: cache, mountPath: /data }
  - { name: tmp, mountPath: /tmp }
{{- end }}
