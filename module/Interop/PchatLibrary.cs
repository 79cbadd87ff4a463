using System;
using System.IO;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace PersistentChatFailover.Interop
{
    /// <summary>The exports of the native library, bound at first use and checked against this assembly's release.</summary>
    internal sealed class PchatLibrary
    {
        internal const int Ok = 0;
        internal const int Error = 1;
        internal const int TimedOut = 2;
        internal const int End = 3;
        private const uint AbiVersion = 1;

        private static readonly object Gate = new object();
        private static PchatLibrary instance;

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate uint AbiVersionCall();

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int HandshakeCall(byte[] text, UIntPtr length, out IntPtr error);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int SessionOpenCall(byte[] settings, UIntPtr length, out ulong session, out IntPtr error);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int LoginAddCall(
            ulong session, byte[] instance, UIntPtr instanceLength, byte[] user, UIntPtr userLength,
            byte[] secret, UIntPtr secretLength, out IntPtr error);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int HandleCall(ulong handle, out IntPtr error);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int StartCall(ulong session, byte[] request, UIntPtr length, out ulong operation, out IntPtr error);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int NextCall(ulong operation, uint timeoutMilliseconds, out IntPtr document, out IntPtr error);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int AnswerCall(ulong operation, byte[] answer, UIntPtr length, out IntPtr error);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int DataCall(IntPtr document, out IntPtr data, out UIntPtr length, out IntPtr error);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate void FreeCall(IntPtr document);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int VersionCall(out IntPtr document, out IntPtr error);

        private readonly IntPtr library;
        private readonly string path;
        private readonly SessionOpenCall sessionOpen;
        private readonly LoginAddCall loginAdd;
        private readonly HandleCall sessionClose;
        private readonly NextCall next;
        private readonly AnswerCall answer;
        private readonly HandleCall cancel;
        private readonly HandleCall close;
        private readonly DataCall data;
        private readonly FreeCall free;

        private PchatLibrary(string path)
        {
            this.path = path;
            library = NativeMethods.Open(path);
            uint abi = NativeMethods.Bind<AbiVersionCall>(library, "pchat_abi_version")();
            if (abi != AbiVersion)
            {
                throw new BadImageFormatException(
                    "The native library speaks version " + abi + " of its interface, this assembly version " + AbiVersion +
                    ".");
            }
            data = NativeMethods.Bind<DataCall>(library, "pchat_document_data");
            free = NativeMethods.Bind<FreeCall>(library, "pchat_document_free");
            sessionOpen = NativeMethods.Bind<SessionOpenCall>(library, "pchat_session_open");
            loginAdd = NativeMethods.Bind<LoginAddCall>(library, "pchat_session_login_add");
            sessionClose = NativeMethods.Bind<HandleCall>(library, "pchat_session_close");
            next = NativeMethods.Bind<NextCall>(library, "pchat_operation_next");
            answer = NativeMethods.Bind<AnswerCall>(library, "pchat_operation_answer");
            cancel = NativeMethods.Bind<HandleCall>(library, "pchat_operation_cancel");
            close = NativeMethods.Bind<HandleCall>(library, "pchat_operation_close");

            Version version = Assembly.GetExecutingAssembly().GetName().Version;
            byte[] release = Encoding.UTF8.GetBytes(version.ToString(3));
            IntPtr error;
            var handshake = NativeMethods.Bind<HandshakeCall>(library, "pchat_handshake");
            Check(handshake(release, Length(release), out error), error);
        }

        /// <summary>The library beside this assembly; loaded at first use, so that an import does no work.</summary>
        internal static PchatLibrary Instance
        {
            get
            {
                lock (Gate)
                {
                    return instance ?? (instance = Load());
                }
            }
        }

        /// <summary>Release, target and place of the library that is loaded.</summary>
        internal string About
        {
            get
            {
                IntPtr document;
                IntPtr error;
                Check(NativeMethods.Bind<VersionCall>(library, "pchat_library_version")(out document, out error), error);
                var about = (System.Collections.Generic.Dictionary<string, object>)Json.Read(Take(document));
                return "release " + about["library"] + ", " + about["target"] + ", " + path;
            }
        }

        private static PchatLibrary Load()
        {
            try
            {
                return new PchatLibrary(NativeFile(NativeMethods.IsWindows ? "pchat.dll" : "libpchat.so"));
            }
            catch (Exception e) when (!(e is PChatException))
            {
                throw PChatException.NotLoaded(e);
            }
        }

        /// <summary>The full path of a native file of this module.</summary>
        internal static string NativeFile(string name)
        {
            string folder = Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location) ?? string.Empty;
            string platform = NativeMethods.IsWindows ? "win-x64" : "linux-x64";
            return Path.Combine(Path.Combine(Path.Combine(folder, "native"), platform), name);
        }

        internal ulong OpenSession(string settings)
        {
            byte[] text = Encoding.UTF8.GetBytes(settings);
            ulong session;
            IntPtr error;
            Check(sessionOpen(text, Length(text), out session, out error), error);
            return session;
        }

        /// <summary>Hands a login over. The caller wipes <paramref name="secret"/>.</summary>
        internal void AddLogin(ulong session, string instanceName, string user, byte[] secret)
        {
            byte[] where = instanceName == null ? null : Encoding.UTF8.GetBytes(instanceName);
            byte[] who = Encoding.UTF8.GetBytes(user);
            IntPtr error;
            int status = loginAdd(
                session, where, where == null ? UIntPtr.Zero : Length(where), who, Length(who), secret, Length(secret), out error);
            Check(status, error);
        }

        internal void CloseSession(ulong session)
        {
            IntPtr error;
            Discard(sessionClose(session, out error), error);
        }

        internal ulong Start(string export, ulong session, string request)
        {
            byte[] text = Encoding.UTF8.GetBytes(request);
            ulong operation;
            IntPtr error;
            var start = NativeMethods.Bind<StartCall>(library, export);
            Check(start(session, text, Length(text), out operation, out error), error);
            return operation;
        }

        /// <summary>The next event; null after a time-out, and <paramref name="ended"/> after the terminal event.</summary>
        internal string Next(ulong operation, uint timeoutMilliseconds, out bool ended)
        {
            IntPtr document;
            IntPtr error;
            int status = next(operation, timeoutMilliseconds, out document, out error);
            Check(status, error);
            ended = status == End;
            return status == Ok ? Take(document) : null;
        }

        internal void Answer(ulong operation, string document)
        {
            byte[] text = Encoding.UTF8.GetBytes(document);
            IntPtr error;
            Check(answer(operation, text, Length(text), out error), error);
        }

        /// <summary>Asks the operation to stop. Never throws: it runs where the shell is stopping.</summary>
        internal void Cancel(ulong operation)
        {
            IntPtr error;
            Discard(cancel(operation, out error), error);
        }

        /// <summary>Closes the operation; one that runs is cancelled and detached. Never blocks, never throws.</summary>
        internal void Close(ulong operation)
        {
            IntPtr error;
            Discard(close(operation, out error), error);
        }

        private static UIntPtr Length(byte[] bytes)
        {
            return new UIntPtr((ulong)bytes.LongLength);
        }

        private void Check(int status, IntPtr error)
        {
            if (status == Error)
            {
                throw new PChatException(Documents.ErrorDocument.Read(Take(error)));
            }
        }

        private void Discard(int status, IntPtr error)
        {
            if (status == Error)
            {
                free(error);
            }
        }

        private string Take(IntPtr document)
        {
            try
            {
                IntPtr bytes;
                UIntPtr length;
                IntPtr error;
                if (data(document, out bytes, out length, out error) != Ok)
                {
                    free(error);
                    return string.Empty;
                }
                var copy = new byte[checked((int)length.ToUInt64())];
                Marshal.Copy(bytes, copy, 0, copy.Length);
                return Encoding.UTF8.GetString(copy);
            }
            finally
            {
                free(document);
            }
        }
    }
}
