/** Where a list of services comes from; `STATE_FILE`: the last good list of `SERVICES_KEY`. */
export type ConfigurationSource =
  'start' | 'update' | 'PUT /services' | 'SERVICES_FILE' | 'SERVICES_KEY' | 'STATE_FILE';
