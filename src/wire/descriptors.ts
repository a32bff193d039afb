// Generated from proto/ by scripts/generate-descriptors.js (npm run generate). Do not edit.
export const remoteWriteV1 = {
  nested: {
    prometheus: {
      nested: {
        WriteRequest: {
          fields: {
            timeseries: { rule: 'repeated', type: 'TimeSeries', id: 1 },
            metadata: { rule: 'repeated', type: 'MetricMetadata', id: 3 },
          },
          reserved: [[2, 2]],
        },
        TimeSeries: {
          fields: {
            labels: { rule: 'repeated', type: 'Label', id: 1 },
            samples: { rule: 'repeated', type: 'Sample', id: 2 },
            exemplars: { rule: 'repeated', type: 'Exemplar', id: 3 },
            histograms: { rule: 'repeated', type: 'Histogram', id: 4 },
          },
        },
        Label: { fields: { name: { type: 'string', id: 1 }, value: { type: 'string', id: 2 } } },
        Sample: { fields: { value: { type: 'double', id: 1 }, timestamp: { type: 'int64', id: 2 } } },
        Exemplar: {
          fields: {
            labels: { rule: 'repeated', type: 'Label', id: 1 },
            value: { type: 'double', id: 2 },
            timestamp: { type: 'int64', id: 3 },
          },
        },
        MetricMetadata: {
          fields: {
            type: { type: 'MetricType', id: 1 },
            metricFamilyName: { type: 'string', id: 2, protoName: 'metric_family_name' },
            help: { type: 'string', id: 4 },
            unit: { type: 'string', id: 5 },
          },
          nested: {
            MetricType: {
              values: {
                UNKNOWN: 0,
                COUNTER: 1,
                GAUGE: 2,
                HISTOGRAM: 3,
                GAUGEHISTOGRAM: 4,
                SUMMARY: 5,
                INFO: 6,
                STATESET: 7,
              },
            },
          },
        },
        Histogram: {
          oneofs: {
            count: { oneof: ['countInt', 'countFloat'] },
            zeroCount: { oneof: ['zeroCountInt', 'zeroCountFloat'] },
          },
          fields: {
            countInt: { type: 'uint64', id: 1, protoName: 'count_int' },
            countFloat: { type: 'double', id: 2, protoName: 'count_float' },
            sum: { type: 'double', id: 3 },
            schema: { type: 'sint32', id: 4 },
            zeroThreshold: { type: 'double', id: 5, protoName: 'zero_threshold' },
            zeroCountInt: { type: 'uint64', id: 6, protoName: 'zero_count_int' },
            zeroCountFloat: { type: 'double', id: 7, protoName: 'zero_count_float' },
            negativeSpans: { rule: 'repeated', type: 'BucketSpan', id: 8, protoName: 'negative_spans' },
            negativeDeltas: { rule: 'repeated', type: 'sint64', id: 9, protoName: 'negative_deltas' },
            negativeCounts: { rule: 'repeated', type: 'double', id: 10, protoName: 'negative_counts' },
            positiveSpans: { rule: 'repeated', type: 'BucketSpan', id: 11, protoName: 'positive_spans' },
            positiveDeltas: { rule: 'repeated', type: 'sint64', id: 12, protoName: 'positive_deltas' },
            positiveCounts: { rule: 'repeated', type: 'double', id: 13, protoName: 'positive_counts' },
            resetHint: { type: 'ResetHint', id: 14, protoName: 'reset_hint' },
            timestamp: { type: 'int64', id: 15 },
            customValues: { rule: 'repeated', type: 'double', id: 16, protoName: 'custom_values' },
          },
          nested: { ResetHint: { values: { UNKNOWN: 0, YES: 1, NO: 2, GAUGE: 3 } } },
        },
        BucketSpan: { fields: { offset: { type: 'sint32', id: 1 }, length: { type: 'uint32', id: 2 } } },
      },
    },
  },
} as const;

export const remoteWriteV2 = {
  nested: {
    io: {
      nested: {
        prometheus: {
          nested: {
            write: {
              nested: {
                v2: {
                  nested: {
                    Request: {
                      fields: {
                        symbols: { rule: 'repeated', type: 'string', id: 4 },
                        timeseries: { rule: 'repeated', type: 'TimeSeries', id: 5 },
                      },
                      reserved: [[1, 3]],
                    },
                    TimeSeries: {
                      fields: {
                        labelsRefs: { rule: 'repeated', type: 'uint32', id: 1, protoName: 'labels_refs' },
                        samples: { rule: 'repeated', type: 'Sample', id: 2 },
                        histograms: { rule: 'repeated', type: 'Histogram', id: 3 },
                        exemplars: { rule: 'repeated', type: 'Exemplar', id: 4 },
                        metadata: { type: 'Metadata', id: 5 },
                        createdTimestamp: { type: 'int64', id: 6, protoName: 'created_timestamp' },
                      },
                    },
                    Sample: {
                      fields: {
                        value: { type: 'double', id: 1 },
                        timestamp: { type: 'int64', id: 2 },
                        startTimestamp: { type: 'int64', id: 3, protoName: 'start_timestamp' },
                      },
                    },
                    Exemplar: {
                      fields: {
                        labelsRefs: { rule: 'repeated', type: 'uint32', id: 1, protoName: 'labels_refs' },
                        value: { type: 'double', id: 2 },
                        timestamp: { type: 'int64', id: 3 },
                      },
                    },
                    Metadata: {
                      fields: {
                        type: { type: 'MetricType', id: 1 },
                        helpRef: { type: 'uint32', id: 3, protoName: 'help_ref' },
                        unitRef: { type: 'uint32', id: 4, protoName: 'unit_ref' },
                      },
                      nested: {
                        MetricType: {
                          values: {
                            METRIC_TYPE_UNSPECIFIED: 0,
                            METRIC_TYPE_COUNTER: 1,
                            METRIC_TYPE_GAUGE: 2,
                            METRIC_TYPE_HISTOGRAM: 3,
                            METRIC_TYPE_GAUGEHISTOGRAM: 4,
                            METRIC_TYPE_SUMMARY: 5,
                            METRIC_TYPE_INFO: 6,
                            METRIC_TYPE_STATESET: 7,
                          },
                        },
                      },
                    },
                    Histogram: {
                      oneofs: {
                        count: { oneof: ['countInt', 'countFloat'] },
                        zeroCount: { oneof: ['zeroCountInt', 'zeroCountFloat'] },
                      },
                      fields: {
                        countInt: { type: 'uint64', id: 1, protoName: 'count_int' },
                        countFloat: { type: 'double', id: 2, protoName: 'count_float' },
                        sum: { type: 'double', id: 3 },
                        schema: { type: 'sint32', id: 4 },
                        zeroThreshold: { type: 'double', id: 5, protoName: 'zero_threshold' },
                        zeroCountInt: { type: 'uint64', id: 6, protoName: 'zero_count_int' },
                        zeroCountFloat: { type: 'double', id: 7, protoName: 'zero_count_float' },
                        negativeSpans: { rule: 'repeated', type: 'BucketSpan', id: 8, protoName: 'negative_spans' },
                        negativeDeltas: { rule: 'repeated', type: 'sint64', id: 9, protoName: 'negative_deltas' },
                        negativeCounts: { rule: 'repeated', type: 'double', id: 10, protoName: 'negative_counts' },
                        positiveSpans: { rule: 'repeated', type: 'BucketSpan', id: 11, protoName: 'positive_spans' },
                        positiveDeltas: { rule: 'repeated', type: 'sint64', id: 12, protoName: 'positive_deltas' },
                        positiveCounts: { rule: 'repeated', type: 'double', id: 13, protoName: 'positive_counts' },
                        resetHint: { type: 'ResetHint', id: 14, protoName: 'reset_hint' },
                        timestamp: { type: 'int64', id: 15 },
                        customValues: { rule: 'repeated', type: 'double', id: 16, protoName: 'custom_values' },
                        startTimestamp: { type: 'int64', id: 17, protoName: 'start_timestamp' },
                      },
                      nested: {
                        ResetHint: {
                          values: {
                            RESET_HINT_UNSPECIFIED: 0,
                            RESET_HINT_YES: 1,
                            RESET_HINT_NO: 2,
                            RESET_HINT_GAUGE: 3,
                          },
                        },
                      },
                    },
                    BucketSpan: { fields: { offset: { type: 'sint32', id: 1 }, length: { type: 'uint32', id: 2 } } },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
} as const;
