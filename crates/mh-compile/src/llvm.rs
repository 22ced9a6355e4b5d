//! Text to object, through the shared library of llvmlite, which is opened here and not by Python: importing the package
//! costs more than all else of a first call.
//!
//! Each call has a context, a module and a target machine of its own, so calls from several threads do not meet: LLVM
//! allows that, and numba may be using the same library beside us. Everything is given back on every way out.

#![expect(unsafe_code, reason = "calls the C functions of llvmlite's library")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The version of llvmlite whose functions are called.
pub const LLVMLITE: &str = "0.50";
const TRIPLE: &CStr = c"x86_64-unknown-linux-gnu";

type Ref = *mut c_void;

/// Declares the functions that are used, and how they are found in the library.
macro_rules! functions {
    ($($field:ident: $name:literal = fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        #[derive(Clone, Copy)]
        struct Functions { $($field: unsafe extern "C" fn($($argument),*) $(-> $result)?,)* }

        impl Functions {
            /// # Safety
            /// `library` came from `dlopen`, and what it holds under these names has these types: those of llvmlite 0.50.
            unsafe fn find(library: Ref) -> Result<Functions, String> {
                Ok(Functions { $($field: {
                    let name = CString::new($name).map_err(|error| error.to_string())?;
                    // SAFETY: the caller vouches for the handle; the name ends with a zero.
                    let found = unsafe { libc::dlsym(library, name.as_ptr()) };
                    if found.is_null() {
                        return Err(format!("llvmlite {LLVMLITE} is wanted: the library that was found has no {}", $name));
                    }
                    // SAFETY: an address that dlsym gives for a function's name is that function; the caller vouches for its type.
                    unsafe { std::mem::transmute::<Ref, unsafe extern "C" fn($($argument),*) $(-> $result)?>(found) }
                },)* })
            }
        }
    };
}

functions! {
    initialize_target: "LLVMPY_InitializeNativeTarget" = fn() -> c_int;
    initialize_printer: "LLVMPY_InitializeNativeAsmPrinter" = fn() -> c_int;
    version: "LLVMPY_GetVersionInfo" = fn() -> u32;
    dispose_string: "LLVMPY_DisposeString" = fn(*const c_char);
    host_name: "LLVMPY_GetHostCPUName" = fn(*mut *const c_char);
    host_features: "LLVMPY_GetHostCPUFeatures" = fn(*mut *const c_char) -> c_int;
    context: "LLVMPY_ContextCreate" = fn() -> Ref;
    dispose_context: "LLVMPY_ContextDispose" = fn(Ref);
    parse: "LLVMPY_ParseAssembly" = fn(Ref, *const c_char, *mut *const c_char) -> Ref;
    verify: "LLVMPY_VerifyModule" = fn(Ref, *mut *const c_char) -> c_int;
    function: "LLVMPY_GetNamedFunction" = fn(Ref, *const c_char) -> Ref;
    print_value: "LLVMPY_PrintValueToString" = fn(Ref, *mut *const c_char);
    print: "LLVMPY_PrintModuleToString" = fn(Ref, *mut *const c_char);
    set_layout: "LLVMPY_SetDataLayout" = fn(Ref, *const c_char);
    set_triple: "LLVMPY_SetTarget" = fn(Ref, *const c_char);
    dispose_module: "LLVMPY_DisposeModule" = fn(Ref);
    target: "LLVMPY_GetTargetFromTriple" = fn(*const c_char, *mut *const c_char) -> Ref;
    machine: "LLVMPY_CreateTargetMachine" = fn(Ref, *const c_char, *const c_char, *const c_char, c_int, *const c_char, *const c_char, c_int, c_int, *const c_char) -> Ref;
    dispose_machine: "LLVMPY_DisposeTargetMachine" = fn(Ref);
    machine_data: "LLVMPY_CreateTargetMachineData" = fn(Ref) -> Ref;
    data_text: "LLVMPY_CopyStringRepOfTargetData" = fn(Ref, *mut *const c_char);
    dispose_data: "LLVMPY_DisposeTargetData" = fn(Ref);
    tuning: "LLVMPY_CreatePipelineTuningOptions" = fn() -> Ref;
    tuning_interleave: "LLVMPY_PTOSetLoopInterleaving" = fn(Ref, bool);
    tuning_loops: "LLVMPY_PTOSetLoopVectorization" = fn(Ref, bool);
    tuning_lines: "LLVMPY_PTOSetSLPVectorization" = fn(Ref, bool);
    tuning_unroll: "LLVMPY_PTOSetLoopUnrolling" = fn(Ref, bool);
    dispose_tuning: "LLVMPY_DisposePipelineTuningOptions" = fn(Ref);
    builder: "LLVMPY_CreatePassBuilder" = fn(Ref, Ref) -> Ref;
    dispose_builder: "LLVMPY_DisposePassBuilder" = fn(Ref);
    pipeline: "LLVMPY_buildPerModuleDefaultPipeline" = fn(Ref, c_int) -> Ref;
    dispose_passes: "LLVMPY_DisposeNewModulePassManger" = fn(Ref);
    run: "LLVMPY_RunNewModulePassManager" = fn(Ref, Ref, Ref);
    emit: "LLVMPY_TargetMachineEmitToMemory" = fn(Ref, Ref, c_int, *mut *const c_char) -> Ref;
    buffer_start: "LLVMPY_GetBufferStart" = fn(Ref) -> *const u8;
    buffer_size: "LLVMPY_GetBufferSize" = fn(Ref) -> usize;
    dispose_buffer: "LLVMPY_DisposeMemoryBuffer" = fn(Ref);
}

/// The machine that is compiled for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// LLVM's name of a CPU, or empty: the one that this runs on.
    pub cpu: String,
    /// As in `+avx2,-avx512f`; added to the CPU's own.
    pub features: String,
    /// Bits of the widest vectors that loops should use: 128, 256, 512, or 0 for what LLVM holds best for the CPU.
    pub width: u32,
}

impl Target {
    /// This machine, with its widest vectors.
    #[must_use]
    pub fn host() -> Target {
        Target { cpu: String::new(), features: String::new(), width: 512 }
    }

    /// Any machine of a level of x86-64 (1 to 4).
    #[must_use]
    pub fn level(level: u32) -> Target {
        let cpu = if level <= 1 { "x86-64".to_owned() } else { format!("x86-64-v{}", level.min(4)) };
        Target { cpu, features: String::new(), width: if level >= 4 { 512 } else { 256 } }
    }
}

/// LLVM, ready for use.
pub struct Llvm {
    functions: Functions,
}

/// What `dlopen` and the two initialisations need: LLVM's registries are filled by one thread at a time.
static OPENING: Mutex<()> = Mutex::new(());

impl Llvm {
    /// Opens `libllvmlite.so`. The library stays open for good: LLVM cannot be unloaded.
    ///
    /// # Errors
    ///
    /// Where it cannot be opened, or is not of the version wanted.
    pub fn open(path: &Path) -> Result<Llvm, String> {
        let _alone = OPENING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let name = CString::new(path.as_os_str().as_encoded_bytes())
            .map_err(|_| format!("no library can be at {path:?}"))?;
        // SAFETY: the name ends with a zero; llvmlite's library runs no code of ours when it is opened.
        let library = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_LAZY | libc::RTLD_LOCAL) };
        if library.is_null() {
            // SAFETY: dlerror gives null or a string that holds until the thread's next dl call.
            let said = unsafe {
                libc::dlerror().as_ref().map(|text| CStr::from_ptr(text).to_string_lossy().into_owned())
            };
            return Err(format!(
                "LLVM cannot be opened ({}): install llvmlite {LLVMLITE}",
                said.unwrap_or_else(|| path.display().to_string())
            ));
        }
        // SAFETY: the handle is from dlopen; the types are those of the version that the message names.
        let functions = unsafe { Functions::find(library)? };
        // SAFETY: these take nothing; one thread at a time is in here.
        let failed = unsafe { (functions.initialize_target)() != 0 || (functions.initialize_printer)() != 0 };
        if failed {
            return Err("LLVM was built without this machine's code generator".to_owned());
        }
        Ok(Llvm { functions })
    }

    /// Where llvmlite's library is, for programs that no binding tells: `$MANYHANDS_LLVM`, else what the Python in
    /// `$PYO3_PYTHON` (else `python3`) would import.
    ///
    /// # Errors
    ///
    /// Where there is neither.
    pub fn locate() -> Result<PathBuf, String> {
        if let Some(path) = std::env::var_os("MANYHANDS_LLVM") {
            return Ok(path.into());
        }
        let python = std::env::var_os("PYO3_PYTHON").unwrap_or_else(|| "python3".into());
        let ask = "import importlib.util as u; print(u.find_spec('llvmlite').submodule_search_locations[0])";
        let answer = std::process::Command::new(&python)
            .args(["-c", ask])
            .output()
            .map_err(|error| format!("{python:?}: {error}"))?;
        if !answer.status.success() {
            return Err(format!(
                "{python:?} has no llvmlite: set PYO3_PYTHON to one that has, or MANYHANDS_LLVM to libllvmlite.so"
            ));
        }
        Ok(Path::new(String::from_utf8_lossy(&answer.stdout).trim_end()).join("binding/libllvmlite.so"))
    }

    /// LLVM's version: major, minor, patch.
    #[must_use]
    pub fn version(&self) -> (u32, u32, u32) {
        // SAFETY: takes nothing.
        let version = unsafe { (self.functions.version)() };
        (version >> 16 & 0xff, version >> 8 & 0xff, version & 0xff)
    }

    /// An ELF object: optimised machine code.
    ///
    /// # Errors
    ///
    /// What LLVM says about the text.
    pub fn object(&self, text: &str, target: &Target) -> Result<Vec<u8>, String> {
        self.module(text, target)?.emit(true)
    }

    /// An object with an entry, and whether that is short: see `short`.
    ///
    /// # Errors
    ///
    /// What LLVM says about the text.
    pub fn kernel(&self, text: &str, target: &Target) -> Result<(Vec<u8>, bool), String> {
        let ready = self.module(text, target)?;
        let entry = CString::new(crate::call::ENTRY).map_err(|error| error.to_string())?;
        // SAFETY: the module is alive, and the name ends with a zero.
        let entry = unsafe { (self.functions.function)(ready.module.reference, entry.as_ptr()) };
        if entry.is_null() {
            return Err("the text has no entry".to_owned());
        }
        // SAFETY: the function is one of the module's, which is alive; the call writes a string of its own.
        let ((), entry) = self.said(|out| unsafe { (self.functions.print_value)(entry, out) });
        Ok((ready.emit(true)?, crate::short::is_short(&entry)))
    }

    /// The same as assembly.
    ///
    /// # Errors
    ///
    /// What LLVM says about the text.
    pub fn assembly(&self, text: &str, target: &Target) -> Result<String, String> {
        Ok(String::from_utf8_lossy(&self.module(text, target)?.emit(false)?).into_owned())
    }

    /// The text after all of LLVM's passes.
    ///
    /// # Errors
    ///
    /// What LLVM says about the text.
    pub fn optimised(&self, text: &str, target: &Target) -> Result<String, String> {
        let ready = self.module(text, target)?;
        // SAFETY: the module is alive; the call writes a string of its own.
        Ok(self.said(|out| unsafe { (self.functions.print)(ready.module.reference, out) }).1)
    }

    /// Parsed, verified and optimised.
    fn module(&self, text: &str, target: &Target) -> Result<Ready<'_>, String> {
        let functions = &self.functions;
        let text = CString::new(text).map_err(|_| "LLVM's text holds a zero".to_owned())?;
        let machine = self.machine(target)?;
        // SAFETY: takes nothing; the result is freed once, after the module, by `Held`.
        let context = Held::new(unsafe { (functions.context)() }, functions.dispose_context, "context")?;
        // SAFETY: the context is alive and the text ends with a zero.
        let (parsed, said) =
            self.said(|out| unsafe { (functions.parse)(context.reference, text.as_ptr(), out) });
        let module = Held::new(parsed, functions.dispose_module, "module")
            .map_err(|none| if said.is_empty() { none } else { said.clone() })?;
        if !said.is_empty() {
            return Err(said);
        }
        let ready = Ready { llvm: self, module, _context: context, machine };
        // SAFETY: the machine is alive; what is made of it is freed once.
        let data = Held::new(
            unsafe { (functions.machine_data)(ready.machine.reference) },
            functions.dispose_data,
            "data layout",
        )?;
        // SAFETY: the layout is alive.
        let ((), layout) = self.said(|out| unsafe { (functions.data_text)(data.reference, out) });
        let layout = CString::new(layout).map_err(|error| error.to_string())?;
        // SAFETY: module and layout are alive, both texts end with a zero and are copied.
        unsafe {
            (functions.set_layout)(ready.module.reference, layout.as_ptr());
            (functions.set_triple)(ready.module.reference, TRIPLE.as_ptr());
        }
        // SAFETY: the module is alive.
        let (bad, said) = self.said(|out| unsafe { (functions.verify)(ready.module.reference, out) });
        if bad != 0 {
            return Err(said);
        }
        ready.optimise()?;
        Ok(ready)
    }

    fn machine(&self, target: &Target) -> Result<Held, String> {
        let functions = &self.functions;
        let (mut cpu, mut features) = (target.cpu.clone(), String::new());
        if cpu.is_empty() {
            // SAFETY: both write a string of their own.
            cpu = self.said(|out| unsafe { (functions.host_name)(out) }).1;
            // SAFETY: as above.
            features = self.said(|out| unsafe { (functions.host_features)(out) }).1;
        }
        let width = match target.width {
            0 => "",
            128 => "+prefer-128-bit",
            256 => "-prefer-128-bit,+prefer-256-bit",
            512 => "-prefer-128-bit,-prefer-256-bit",
            other => return Err(format!("vectors of {other} bits: 128, 256 or 512 can be asked for")),
        };
        for more in [target.features.as_str(), width] {
            if !more.is_empty() {
                if !features.is_empty() {
                    features.push(',');
                }
                features.push_str(more);
            }
        }
        let (cpu, features) = (
            CString::new(cpu).map_err(|error| error.to_string())?,
            CString::new(features).map_err(|error| error.to_string())?,
        );
        // SAFETY: the triple ends with a zero; the result belongs to LLVM.
        let (found, said) = self.said(|out| unsafe { (functions.target)(TRIPLE.as_ptr(), out) });
        if found.is_null() {
            return Err(said);
        }
        // Position-independent and small: what the loader maps lies together, and calls out of it go through stubs.
        // SAFETY: all texts end with a zero; the result is freed once.
        let machine = unsafe {
            (functions.machine)(
                found,
                TRIPLE.as_ptr(),
                cpu.as_ptr(),
                features.as_ptr(),
                3,
                c"pic".as_ptr(),
                c"small".as_ptr(),
                0,
                0,
                c"".as_ptr(),
            )
        };
        Held::new(machine, functions.dispose_machine, "target machine")
    }

    /// What a function gives back, and the text that it wrote, which is freed here.
    fn said<R>(&self, call: impl FnOnce(*mut *const c_char) -> R) -> (R, String) {
        let mut text: *const c_char = std::ptr::null();
        let result = call(&raw mut text);
        if text.is_null() {
            return (result, String::new());
        }
        // SAFETY: what these functions write is a string of theirs that ends with a zero, freed once, here.
        let copy = unsafe {
            let copy = CStr::from_ptr(text).to_string_lossy().into_owned();
            (self.functions.dispose_string)(text);
            copy
        };
        (result, copy)
    }
}

/// Something of LLVM's, freed when dropped.
struct Held {
    reference: Ref,
    free: unsafe extern "C" fn(Ref),
}

impl Held {
    fn new(reference: Ref, free: unsafe extern "C" fn(Ref), what: &str) -> Result<Held, String> {
        if reference.is_null() { Err(format!("LLVM made no {what}")) } else { Ok(Held { reference, free }) }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: the reference is not null, is freed by nobody else, and `free` is its own function.
        unsafe { (self.free)(self.reference) }
    }
}

/// A module that is ready to be emitted. Fields are dropped in this order: the module before its context.
struct Ready<'a> {
    llvm: &'a Llvm,
    module: Held,
    _context: Held,
    machine: Held,
}

impl Ready<'_> {
    fn optimise(&self) -> Result<(), String> {
        let functions = &self.llvm.functions;
        // SAFETY: each is made of what is alive, and freed once: passes before their builder, that before its options.
        unsafe {
            let tuning = Held::new((functions.tuning)(), functions.dispose_tuning, "options")?;
            (functions.tuning_interleave)(tuning.reference, true);
            (functions.tuning_loops)(tuning.reference, true);
            (functions.tuning_lines)(tuning.reference, true);
            (functions.tuning_unroll)(tuning.reference, true);
            let builder = Held::new(
                (functions.builder)(self.machine.reference, tuning.reference),
                functions.dispose_builder,
                "pass builder",
            )?;
            let passes =
                Held::new((functions.pipeline)(builder.reference, 3), functions.dispose_passes, "passes")?;
            (functions.run)(passes.reference, self.module.reference, builder.reference);
        }
        Ok(())
    }

    fn emit(&self, object: bool) -> Result<Vec<u8>, String> {
        let functions = &self.llvm.functions;
        // SAFETY: machine and module are alive.
        let (buffer, said) = self.llvm.said(|out| unsafe {
            (functions.emit)(self.machine.reference, self.module.reference, c_int::from(object), out)
        });
        let buffer = Held::new(buffer, functions.dispose_buffer, "object")
            .map_err(|none| if said.is_empty() { none } else { said })?;
        // SAFETY: the buffer is alive, and holds that many bytes from there on.
        Ok(unsafe {
            std::slice::from_raw_parts(
                (functions.buffer_start)(buffer.reference),
                (functions.buffer_size)(buffer.reference),
            )
        }
        .to_vec())
    }
}

/// LLVM, for the crate's own tests.
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]
pub(crate) fn llvm() -> &'static Llvm {
    static LLVM: std::sync::OnceLock<Llvm> = std::sync::OnceLock::new();
    LLVM.get_or_init(|| Llvm::open(&Llvm::locate().unwrap()).unwrap())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]
mod tests {
    use super::*;

    const SQUARE: &str = "define i64 @square(i64 %x) nounwind {\n  %y = mul i64 %x, %x\n  %z = add i64 %y, 0\n  ret i64 %z\n}\n";

    #[test]
    fn text_becomes_an_object_assembly_and_better_text() {
        let llvm = llvm();
        assert!(llvm.version().0 >= 20, "{:?}", llvm.version());
        for target in [Target::host(), Target::level(1), Target::level(3)] {
            assert_eq!(&llvm.object(SQUARE, &target).unwrap()[..4], b"\x7fELF");
            assert!(llvm.assembly(SQUARE, &target).unwrap().contains("imulq"));
            let better = llvm.optimised(SQUARE, &target).unwrap();
            assert!(better.contains("mul i64") && !better.contains("add i64"), "{better}");
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        let llvm = llvm();
        let said = llvm.object("define i64 @f( {", &Target::host()).unwrap_err();
        assert!(said.contains("error"), "{said}");
        let said = llvm
            .object("define i64 @f() {\n  %x = add i64 %x, 1\n  ret i64 %x\n}\n", &Target::host())
            .unwrap_err();
        assert!(said.contains("%x"), "{said}");
        assert!(llvm.object("\0", &Target::host()).unwrap_err().contains("zero"));
        assert!(llvm.object(SQUARE, &Target { width: 7, ..Target::host() }).unwrap_err().contains("7 bits"));
    }

    #[test]
    fn another_library_is_refused_by_version() {
        let said = Llvm::open(Path::new("libc.so.6")).err().unwrap();
        assert!(said.contains("llvmlite 0.50 is wanted"), "{said}");
        let said = Llvm::open(Path::new("/nowhere/libllvmlite.so")).err().unwrap();
        assert!(said.contains("/nowhere/libllvmlite.so") && said.contains("install llvmlite"), "{said}");
    }

    #[test]
    fn several_threads_compile_at_once() {
        let llvm = llvm();
        let alone = llvm.object(SQUARE, &Target::host()).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..8 {
                        assert_eq!(llvm.object(SQUARE, &Target::host()).unwrap(), alone);
                    }
                });
            }
        });
    }
}
