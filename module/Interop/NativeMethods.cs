using System;
using System.ComponentModel;
using System.IO;
using System.Runtime.InteropServices;

namespace PersistentChatFailover.Interop
{
    /// <summary>Loads the native library by its full path, once, and never unloads it.</summary>
    internal static class NativeMethods
    {
        // The SEARCH flags of LoadLibraryEx need an update on Server 2008 R2; this one does not.
        private const uint LoadWithAlteredSearchPath = 0x00000008;
        private const int BadExeFormat = 193;
        private const int RtldNow = 2;

        [DllImport("kernel32", CharSet = CharSet.Unicode, SetLastError = true, ExactSpelling = true)]
        private static extern IntPtr LoadLibraryExW(string path, IntPtr reserved, uint flags);

        [DllImport("kernel32", CharSet = CharSet.Ansi, SetLastError = true, ExactSpelling = true)]
        private static extern IntPtr GetProcAddress(IntPtr library, string name);

        [DllImport("libdl.so.2")]
        private static extern IntPtr dlopen([MarshalAs(UnmanagedType.LPStr)] string path, int flags);

        [DllImport("libdl.so.2")]
        private static extern IntPtr dlsym(IntPtr library, [MarshalAs(UnmanagedType.LPStr)] string name);

        [DllImport("libdl.so.2")]
        private static extern IntPtr dlerror();

        internal static bool IsWindows
        {
            get { return Path.DirectorySeparatorChar == '\\'; }
        }

        /// <summary>Opens the library. Every failure is one plain sentence.</summary>
        internal static IntPtr Open(string path)
        {
            RequireWide(IntPtr.Size);
            if (!File.Exists(path))
            {
                throw new FileNotFoundException(
                    "The native library is missing: " + path + ".", path);
            }
            IntPtr library = IsWindows
                ? LoadLibraryExW(path, IntPtr.Zero, LoadWithAlteredSearchPath)
                : dlopen(path, RtldNow);
            if (library == IntPtr.Zero)
            {
                throw new DllNotFoundException("The native library cannot be loaded: " + path + ". " + WhyNotLoaded());
            }
            return library;
        }

        /// <summary>Refuses a process that is not a 64-bit one.</summary>
        /// <param name="pointerSize">Bytes of its pointers.</param>
        internal static void RequireWide(int pointerSize)
        {
            if (pointerSize != 8)
            {
                throw new PlatformNotSupportedException("This is a 32-bit shell.");
            }
        }

        private static string WhyNotLoaded()
        {
            return IsWindows
                ? InWords(Marshal.GetLastWin32Error())
                : Marshal.PtrToStringAnsi(dlerror()) ?? string.Empty;
        }

        /// <summary>Why Windows did not load a library, by its error code.</summary>
        internal static string InWords(int code)
        {
            return code == BadExeFormat
                ? "It was built for another kind of process; this one is 64-bit x64."
                : new Win32Exception(code).Message;
        }

        /// <summary>An export as a delegate.</summary>
        internal static T Bind<T>(IntPtr library, string name) where T : class
        {
            IntPtr address = IsWindows ? GetProcAddress(library, name) : dlsym(library, name);
            if (address == IntPtr.Zero)
            {
                throw new EntryPointNotFoundException(
                    "The native library has no " + name + ".");
            }
            return (T)(object)Marshal.GetDelegateForFunctionPointer(address, typeof(T));
        }
    }
}
