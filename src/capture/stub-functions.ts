/** What the stub in the service calls, in the order of struct inputs in src/stub/service.h. */
export const SERVICE_FUNCTIONS = [
  { name: 'Py_IsInitialized', need: 'required' },
  { name: 'PyGILState_Ensure', need: 'required' },
  { name: 'PyGILState_Release', need: 'required' },
  { name: '_PyThreadState_UncheckedGet', need: 'optional' },
  { name: 'Py_AddPendingCall', need: 'required' },
] as const

/**
 * What the snapshot's code calls and looks at, in the order of struct python in src/stub/python.h. It does without what
 * is optional where an interpreter or C library lacks it.
 */
export const STUB_FUNCTIONS = [
  { name: 'PyImport_GetModuleDict', need: 'required' },
  { name: 'PyDict_GetItemString', need: 'required' },
  { name: 'PyDict_SetItemString', need: 'required' },
  { name: 'PyDict_Next', need: 'required' },
  { name: 'PyDict_New', need: 'required' },
  { name: 'PyDict_Copy', need: 'required' },
  { name: 'PyObject_GetAttrString', need: 'required' },
  { name: 'PyObject_CallMethod', need: 'required' },
  { name: 'PyList_New', need: 'required' },
  { name: 'PyList_Append', need: 'required' },
  { name: 'PyErr_Clear', need: 'required' },
  { name: 'PyRun_String', need: 'required' },
  { name: 'PyOS_AfterFork_Child', need: 'required' },
  { name: 'PyGC_Disable', need: 'optional' }, // 3.10
  { name: 'PyDict_Type', need: 'required' },
  { name: 'PyFrameLocalsProxy_Type', need: 'optional' }, // 3.13
  { name: '_Py_NoneStruct', need: 'required' },
  { name: '_Py_TrueStruct', need: 'required' },
  { name: 'PyThreadState_GetDict', need: 'optional' },
  { name: 'PyThreadState_Get', need: 'optional' },
  { name: 'PyInterpreterState_Main', need: 'optional' },
  { name: 'PyInterpreterState_ThreadHead', need: 'optional' },
  { name: 'PyThreadState_Next', need: 'optional' },
  { name: 'mallinfo2', need: 'libc' }, // glibc 2.33
  { name: 'PyCFunction_NewEx', need: 'required' },
  { name: 'PyCapsule_New', need: 'required' },
  { name: 'PyLong_FromSsize_t', need: 'required' },
  { name: 'PyLong_AsSsize_t', need: 'required' },
  { name: 'PyList_Size', need: 'required' },
  { name: 'PyList_GetItem', need: 'required' },
  { name: 'PyObject_CallFunctionObjArgs', need: 'required' },
  { name: 'PyErr_Occurred', need: 'required' },
  { name: 'PyErr_NoMemory', need: 'required' },
  { name: 'Py_DecRef', need: 'required' },
  { name: 'PyInterpreterState_Head', need: 'optional' },
  { name: 'PyInterpreterState_Next', need: 'optional' },
  { name: 'PyInterpreterState_GetID', need: 'optional' },
  { name: '_PyRuntime', need: 'optional' },
] as const

/** What only the live engine calls; see room.ts. */
export const LIVE_ONLY_FUNCTIONS = [
  { name: 'PyErr_Fetch', need: 'required' },
  { name: 'PyErr_Restore', need: 'required' },
  { name: 'PyBytes_AsString', need: 'required' },
  { name: 'PyBytes_Size', need: 'required' },
] as const
