/** Where a list of services comes from. */
export type ConfigurationSource = 'start' | 'update' | 'PUT /services' | 'SERVICES_FILE';
