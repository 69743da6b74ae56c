/**
 * The protobuf messages of what stands around graphs: MetaGraphDef, SavedModel and its objects, checkpoints. How to
 * read a row: proto-schema.ts.
 */
export const SAVED_MESSAGES = {
  VariableDef: {
    variable_name: 'string 1',
    initializer_name: 'string 2',
    snapshot_name: 'string 3',
    save_slice_info_def: 'SaveSliceInfoDef 4',
    is_resource: 'bool 5',
    initial_value_name: 'string 6',
    trainable: 'bool 7',
    synchronization: 'VariableSynchronization 8',
    aggregation: 'VariableAggregation 9',
  },
  SaveSliceInfoDef: {
    full_name: 'string 1',
    full_shape: 'repeated int64 2',
    var_offset: 'repeated int64 3',
    var_shape: 'repeated int64 4',
  },
  TensorSliceProto: {
    extent: 'repeated TensorSliceExtent 1',
  },
  TensorSliceExtent: {
    start: 'int64 1',
    length: 'oneof has_length_hack int64 2',
  },
  MetaGraphDef: {
    meta_info_def: 'MetaInfoDef 1',
    graph_def: 'GraphDef 2',
    saver_def: 'SaverDef 3',
    collection_def: 'map string CollectionDef 4',
    signature_def: 'map string SignatureDef 5',
    asset_file_def: 'repeated AssetFileDef 6',
  },
  MetaInfoDef: {
    meta_graph_version: 'string 1',
    any_info: 'Any 3',
    tags: 'repeated string 4',
    tensorflow_version: 'string 5',
    tensorflow_git_version: 'string 6',
    stripped_default_attrs: 'bool 7',
    function_aliases: 'map string string 8',
  },
  Any: {
    type_url: 'string 1',
    value: 'bytes 2',
  },
  SaverDef: {
    filename_tensor_name: 'string 1',
    save_tensor_name: 'string 2',
    restore_op_name: 'string 3',
    max_to_keep: 'int32 4',
    sharded: 'bool 5',
    keep_checkpoint_every_n_hours: 'float 6',
    version: 'CheckpointFormatVersion 7',
  },
  CollectionDef: {
    node_list: 'oneof kind NodeList 1',
    bytes_list: 'oneof kind BytesList 2',
    int64_list: 'oneof kind Int64List 3',
    float_list: 'oneof kind FloatList 4',
    any_list: 'oneof kind AnyList 5',
  },
  NodeList: {
    value: 'repeated string 1',
  },
  BytesList: {
    value: 'repeated bytes 1',
  },
  Int64List: {
    value: 'repeated int64 1',
  },
  FloatList: {
    value: 'repeated float 1',
  },
  AnyList: {
    value: 'repeated Any 1',
  },
  SignatureDef: {
    inputs: 'map string TensorInfo 1',
    outputs: 'map string TensorInfo 2',
    method_name: 'string 3',
    defaults: 'map string TensorProto 4',
  },
  TensorInfo: {
    name: 'oneof encoding string 1',
    dtype: 'DataType 2',
    tensor_shape: 'TensorShapeProto 3',
    coo_sparse: 'oneof encoding CooSparse 4',
    composite_tensor: 'oneof encoding CompositeTensor 5',
  },
  CooSparse: {
    values_tensor_name: 'string 1',
    indices_tensor_name: 'string 2',
    dense_shape_tensor_name: 'string 3',
  },
  CompositeTensor: {
    type_spec: 'TypeSpecProto 1',
    components: 'repeated TensorInfo 2',
  },
  TypeSpecProto: {
    type_spec_class: 'TypeSpecClass 1',
    type_state: 'StructuredValue 2',
    type_spec_class_name: 'string 3',
    num_flat_components: 'int32 4',
  },
  StructuredValue: {
    none_value: 'oneof kind NoneValue 1',
    float64_value: 'oneof kind double 11',
    int64_value: 'oneof kind sint64 12',
    string_value: 'oneof kind string 13',
    bool_value: 'oneof kind bool 14',
    tensor_shape_value: 'oneof kind TensorShapeProto 31',
    tensor_dtype_value: 'oneof kind DataType 32',
    tensor_spec_value: 'oneof kind TensorSpecProto 33',
    type_spec_value: 'oneof kind TypeSpecProto 34',
    bounded_tensor_spec_value: 'oneof kind BoundedTensorSpecProto 35',
    list_value: 'oneof kind ListValue 51',
    tuple_value: 'oneof kind TupleValue 52',
    dict_value: 'oneof kind DictValue 53',
    named_tuple_value: 'oneof kind NamedTupleValue 54',
    tensor_value: 'oneof kind TensorProto 55',
    numpy_value: 'oneof kind TensorProto 56',
  },
  NoneValue: {},
  TensorSpecProto: {
    name: 'string 1',
    shape: 'TensorShapeProto 2',
    dtype: 'DataType 3',
  },
  BoundedTensorSpecProto: {
    name: 'string 1',
    shape: 'TensorShapeProto 2',
    dtype: 'DataType 3',
    minimum: 'TensorProto 4',
    maximum: 'TensorProto 5',
  },
  ListValue: {
    values: 'repeated StructuredValue 1',
  },
  TupleValue: {
    values: 'repeated StructuredValue 1',
  },
  DictValue: {
    fields: 'map string StructuredValue 1',
  },
  NamedTupleValue: {
    name: 'string 1',
    values: 'repeated PairValue 2',
  },
  PairValue: {
    key: 'string 1',
    value: 'StructuredValue 2',
  },
  AssetFileDef: {
    tensor_info: 'TensorInfo 1',
    filename: 'string 2',
  },
  ObjectReference: {
    node_id: 'int32 1',
    local_name: 'string 2',
  },
  SlotVariableReference: {
    original_variable_node_id: 'int32 1',
    slot_name: 'string 2',
    slot_variable_node_id: 'int32 3',
  },
  SavedModel: {
    saved_model_schema_version: 'int64 1',
    meta_graphs: 'repeated MetaGraphDef 2',
  },
  TrackableObjectGraph: {
    nodes: 'repeated TrackableObject 1',
  },
  TrackableObject: {
    children: 'repeated ObjectReference 1',
    attributes: 'repeated SerializedTensor 2',
    slot_variables: 'repeated SlotVariableReference 3',
    registered_saver: 'RegisteredSaver 4',
    has_checkpoint_values: 'BoolValue 5',
  },
  SerializedTensor: {
    name: 'string 1',
    full_name: 'string 2',
    checkpoint_key: 'string 3',
  },
  RegisteredSaver: {
    name: 'string 1',
    object_name: 'string 2',
  },
  BoolValue: {
    value: 'bool 1',
  },
  BundleHeaderProto: {
    num_shards: 'int32 1',
    endianness: 'Endianness 2',
    version: 'VersionDef 3',
  },
  BundleEntryProto: {
    dtype: 'DataType 1',
    shape: 'TensorShapeProto 2',
    shard_id: 'int32 3',
    offset: 'int64 4',
    size: 'int64 5',
    crc32c: 'fixed32 6',
    slices: 'repeated TensorSliceProto 7',
  },
  CheckpointState: {
    model_checkpoint_path: 'string 1',
    all_model_checkpoint_paths: 'repeated string 2',
    all_model_checkpoint_timestamps: 'repeated double 3',
    last_preserved_timestamp: 'double 4',
  },
  SavedSliceMeta: {
    name: 'string 1',
    shape: 'TensorShapeProto 2',
    type: 'DataType 3',
    slice: 'repeated TensorSliceProto 4',
  },
  SavedTensorSliceMeta: {
    tensor: 'repeated SavedSliceMeta 1',
    versions: 'VersionDef 2',
  },
  SavedSlice: {
    name: 'string 1',
    slice: 'TensorSliceProto 2',
    data: 'TensorProto 3',
  },
  SavedTensorSlices: {
    meta: 'SavedTensorSliceMeta 1',
    data: 'SavedSlice 2',
  },
} as const;
